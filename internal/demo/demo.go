package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// Tick is the pace at which the demo's hosts take about as long as real ones with little to do.
const Tick = 250 * time.Millisecond

// Options say what fleet to make.
type Options struct {
	// Dir holds the fleet. One that holds a fleet already goes on with it: its hosts run what they were left with.
	// "" is a new temporary directory, which Close removes.
	Dir   string
	Hosts []Host
	Tick  time.Duration // how long one small step of pretended work takes; 0 is no time at all
}

// Fleet is a fleet that runs, until it is closed.
type Fleet struct {
	Dir       string
	Inventory string // its hosts.toml
	Home      string // the operator's home
	Origin    string // the bare repository that the hosts pull from

	place   *place
	tick    time.Duration
	started time.Time
	hosts   []*machine
	key     operatorKey
	closed  sync.Once
}

// machine is a host with its place in the fleet's directory.
type machine struct {
	Host
	root     string
	behind   int     // the commits that its checkout lacks at first
	slowness float64 // no two machines of a fleet are equally fast
	server   *sshtest.Server
}

// Start makes a fleet, or goes on with the one in Options.Dir, and has its hosts answer over SSH; ctx is for that alone.
// The caller closes the fleet.
func Start(ctx context.Context, o Options) (_ *Fleet, err error) {
	place, err := takePlace(o.Dir)
	if err != nil {
		return nil, err
	}
	f := &Fleet{
		Dir:       place.dir,
		Inventory: filepath.Join(place.dir, "hosts.toml"),
		Home:      filepath.Join(place.dir, "operator"),
		Origin:    filepath.Join(place.dir, "origin.git"),
		place:     place, tick: o.Tick, started: time.Now(),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	for i, h := range o.Hosts {
		f.hosts = append(f.hosts, &machine{
			Host: h, root: f.Root(h.Name), behind: 1 + i%2, slowness: 0.6 + 0.1*float64(i%5),
		})
	}
	// The inventory is written last: where there is one, all else is there.
	if _, err := os.Stat(f.Inventory); errors.Is(err, os.ErrNotExist) {
		if err := f.build(ctx); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	if f.key, err = newOperatorKey(); err != nil {
		return nil, err
	}
	if err := f.eachHost(f.open); err != nil {
		return nil, err
	}
	if err := f.equipOperator(); err != nil {
		return nil, err
	}
	return f, nil
}

// build makes the repository and the hosts, anew where a start was cut short.
func (f *Fleet) build(ctx context.Context) error {
	for _, half := range []string{f.Home, f.Origin, f.Root("")} {
		if err := os.RemoveAll(half); err != nil {
			return err
		}
	}
	if err := f.seed(ctx); err != nil {
		return err
	}
	return f.eachHost(func(h *machine) error { return f.furnish(ctx, h) })
}

// open has a host answer.
func (f *Fleet) open(h *machine) (err error) {
	if _, err := os.Stat(h.root); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the fleet in %q was made without the host %q", f.Dir, h.Name)
	}
	if err := f.vary(h); err != nil {
		return err
	}
	h.server, err = sshtest.New(sshtest.Config{
		AuthorizedKeys: []ssh.PublicKey{f.key.public},
		Handler:        sshtest.Shell{Dir: h.home(), Env: h.environ()}.Handle,
		LoginCommand:   fmt.Sprintf("echo 'a shell of the demo, which has no terminal: line by line, exit leaves'; PS1='%s$ ' exec /bin/sh -i +m", h.Name),
	})
	return err
}

// eachHost does the same with every host, a few at a time.
func (f *Fleet) eachHost(do func(h *machine) error) error {
	errs := make([]error, len(f.hosts))
	slots := make(chan struct{}, 2*runtime.NumCPU())
	var all sync.WaitGroup
	for i, h := range f.hosts {
		slots <- struct{}{}
		all.Go(func() {
			errs[i] = do(h)
			<-slots
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Root is the directory that a host lives in: its paths of the system and of Nix are below it.
func (f *Fleet) Root(host string) string { return filepath.Join(f.Dir, "hosts", host) }

// Server is a host's SSH server, for those who want to make it ill.
func (f *Fleet) Server(host string) *sshtest.Server {
	for _, h := range f.hosts {
		if h.Name == host {
			return h.server
		}
	}
	return nil
}

// Environ is what makes a command of fleetctl work on this fleet, to be put after the variables there are.
func (f *Fleet) Environ() []string {
	return append([]string{
		"HOME=" + f.Home,
		"XDG_STATE_HOME=" + filepath.Join(f.Home, ".local", "state"),
		"XDG_CONFIG_HOME=" + filepath.Join(f.Home, ".config"),
		"SSH_AUTH_SOCK=",
		"FLEETCTL_INVENTORY=" + f.Inventory,
	}, gitIsolation...)
}

// Close ends what runs on the hosts, jobs too, and takes the fleet off the network. A temporary directory is removed. To
// close a fleet again does nothing.
func (f *Fleet) Close() (err error) {
	f.closed.Do(func() {
		err = errors.Join(f.eachHost(f.shut), f.place.leave())
	})
	return err
}

func (f *Fleet) shut(h *machine) error {
	if h.server == nil {
		return nil
	}
	return errors.Join(h.server.Close(), f.endJobs(h))
}
