package cli

import (
	"fmt"
	"slices"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/sshexec"
	"github.com/markus-barta/nixfleet/tui"
)

// hostKeyPrompts holds the unknown host keys and the order in which the operator is prompted to
// accept them. Each host is prompted for automatically once; declining one key also drops the
// prompts that are queued behind it. After that, K prompts again. Changed keys are never accepted
// here.
type hostKeyPrompts struct {
	unknown   map[string]*sshexec.UnknownKey // by host; removed once the host accepts a connection
	prompted  map[string]bool                // hosts that have been prompted for
	queue     []string                       // hosts to prompt for
	prompting bool                           // a goroutine works through the queue
}

// status shows a host's status, attaches to the run that is using the host, and prompts for the
// host's key if it is unknown.
func (c *tableController) status(s host.Status) {
	c.table.Status(s)
	if s.Health != nil && s.Health.Job != nil {
		c.attachToJob(s.Health.Job.ID)
	}
	key := sshexec.AsUnknownKey(s.Err)
	c.mu.Lock()
	if c.keys.unknown == nil {
		c.keys.unknown, c.keys.prompted = map[string]*sshexec.UnknownKey{}, map[string]bool{}
	}
	if delete(c.keys.unknown, s.Host); key != nil {
		c.keys.unknown[s.Host] = key
	}
	prompt := key != nil && !c.keys.prompted[s.Host] && !c.readOnly
	c.mu.Unlock()
	if prompt {
		c.queueHostKeys([]string{s.Host})
	}
}

// trust prompts for the keys of hosts, including those that were declined.
func (c *tableController) trust(names []string) error {
	c.mu.Lock()
	unknown := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return c.keys.unknown[name] == nil })
	c.mu.Unlock()
	if len(unknown) == 0 {
		return fmt.Errorf("no unknown host key to accept for %s", nameList(names))
	}
	c.queueHostKeys(unknown)
	return nil
}

// queueHostKeys queues prompts for the keys of hosts.
func (c *tableController) queueHostKeys(names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.keys.prompted[name] = true
		if !slices.Contains(c.keys.queue, name) {
			c.keys.queue = append(c.keys.queue, name)
		}
	}
	if !c.keys.prompting {
		c.keys.prompting = true
		c.background(c.promptHostKeys)
	}
}

// promptHostKeys prompts for one queued key after another until the queue is empty.
func (c *tableController) promptHostKeys() {
	for {
		host, key, ok := c.nextHostKey()
		if !ok {
			return
		}
		if key == nil {
			continue // accepted in the meantime
		}
		accepted := c.table.Confirm(c.ctx, hostKeyQuestion(host, key))
		switch {
		case c.ctx.Err() != nil:
			return
		case !accepted:
			c.clearHostKeyQueue()
			c.table.Note("host keys not accepted; press K to review them")
			continue
		}
		if err := c.pool.Accept(key); err != nil {
			c.table.Note(fmt.Sprintf("%s: %v", host, err))
			continue
		}
		for _, host := range c.forgetHostKey(key) {
			c.monitor.Refresh(host)
		}
	}
}

func hostKeyQuestion(host string, key *sshexec.UnknownKey) tui.Question {
	return tui.Question{
		Title: "accept the host key of " + host + "?",
		Yes:   "Accept the key",
		No:    "Don't accept",
		Lines: []string{
			fmt.Sprintf("No known_hosts file has a key for %q. The host offers", key.HostName),
			"",
			key.Type,
			key.Fingerprint,
			"",
			"Compare this with the host's own key. On its console, run: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub " +
				"(or the file for that key type). If they differ, the connection may be intercepted.",
			"",
			"The key will be added to " + key.File,
		},
	}
}

// forgetHostKey drops a key that is now known and returns the hosts that offered it. There are
// several if it is the key of a bastion.
func (c *tableController) forgetHostKey(key *sshexec.UnknownKey) (hosts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for host, k := range c.keys.unknown {
		if k.HostName == key.HostName && k.Fingerprint == key.Fingerprint {
			delete(c.keys.unknown, host)
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// nextHostKey removes the first host from the queue and returns it with its key, which is nil if
// the key is known by now. If the queue is empty, ok is false and prompting is over.
func (c *tableController) nextHostKey() (host string, key *sshexec.UnknownKey, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys.queue) == 0 {
		c.keys.prompting = false
		return "", nil, false
	}
	host, c.keys.queue = c.keys.queue[0], c.keys.queue[1:]
	return host, c.keys.unknown[host], true
}

func (c *tableController) clearHostKeyQueue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys.queue = nil
}
