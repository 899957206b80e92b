package cli

import (
	"fmt"
	"slices"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/sshexec"
	"github.com/markus-barta/nixfleet/tui"
)

// strangers are the hosts whose keys nobody has vouched for. Each is asked about once by itself; a no is one to all that wait, and then only
// to those that are not asked for. A key that has changed is never among them.
type strangers struct {
	shown  map[string]*sshexec.UnknownKey // by host, until it lets us in
	met    map[string]bool                // hosts that were asked about
	queue  []string
	asking bool
}

// status passes on what was found out about a host, joins the run that is at work there, and asks about its key where that is unknown.
func (d *desk) status(s host.HostStatus) {
	d.table.Status(s)
	if s.Health != nil && s.Health.Job != nil {
		d.join(s.Health.Job.ID)
	}
	key := sshexec.AsUnknownKey(s.Err)
	d.mu.Lock()
	if d.shown == nil {
		d.shown, d.met = map[string]*sshexec.UnknownKey{}, map[string]bool{}
	}
	if delete(d.shown, s.Host); key != nil {
		d.shown[s.Host] = key
	}
	ask := key != nil && !d.met[s.Host] && !d.fixed
	d.mu.Unlock()
	if ask {
		d.introduce([]string{s.Host})
	}
}

// trust asks again about the keys of hosts.
func (d *desk) trust(names []string) error {
	d.mu.Lock()
	unknown := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return d.shown[name] == nil })
	d.mu.Unlock()
	if len(unknown) == 0 {
		return fmt.Errorf("no key that could be accepted is shown by %s", inWords(names))
	}
	d.introduce(unknown)
	return nil
}

// introduce has hosts asked about, one after another.
func (d *desk) introduce(names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		d.met[name] = true
		if !slices.Contains(d.queue, name) {
			d.queue = append(d.queue, name)
		}
	}
	if !d.asking {
		d.asking = true
		d.do(d.askAboutStrangers)
	}
}

func (d *desk) askAboutStrangers() {
	for {
		host, key := d.nextStranger()
		if host == "" {
			return
		}
		if key == nil {
			continue // it is known by now
		}
		yes := d.table.Confirm(d.ctx, tui.Question{
			Title: "is this " + host + "?", Yes: "Accept the key",
			Lines: []string{
				fmt.Sprintf("No known_hosts file has a key for %q. It shows", key.Name), "", key.Type, key.Fingerprint, "",
				"Compare this with the host's own: on its console, ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, or whichever is of that type. " +
					"If it is another, somebody may be in between.", "", "It would be kept in " + key.File,
			},
		})
		switch {
		case d.ctx.Err() != nil:
			return
		case !yes:
			d.turnAway()
			d.table.Note("host keys are left unknown; K shows them again")
			continue
		}
		if err := d.pool.Accept(key); err != nil {
			d.table.Note(fmt.Sprintf("%s: %v", host, err))
			continue
		}
		for _, host := range d.welcome(key) {
			d.eyes.Refresh(host)
		}
	}
}

// welcome are the hosts that showed a key, which is known now: several, where it is that of a bastion.
func (d *desk) welcome(key *sshexec.UnknownKey) (hosts []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for host, k := range d.shown {
		if k.Name == key.Name && k.Fingerprint == key.Fingerprint {
			delete(d.shown, host)
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// nextStranger takes the next from the queue; "" is that there is none, and nobody asks any more.
func (d *desk) nextStranger() (host string, key *sshexec.UnknownKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		d.asking = false
		return "", nil
	}
	host, d.queue = d.queue[0], d.queue[1:]
	return host, d.shown[host]
}

func (d *desk) turnAway() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = nil
}
