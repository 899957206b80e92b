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

// Tick is a value of Options.Tick at which the hosts take about as long as real ones that have
// little to do.
const Tick = 250 * time.Millisecond

// Options configures [Start].
type Options struct {
	// Dir is the fleet's directory. If it already holds a fleet, Start continues with that one. ""
	// means a new temporary directory, which Close removes.
	Dir   string
	Hosts []Host
	Tick  time.Duration // the duration of a small step of simulated work; may be 0
}

// A Fleet is a running fleet.
type Fleet struct {
	Dir       string
	Inventory string // path of its hosts.toml
	Home      string // the operator's home directory
	Origin    string // the bare repository that the hosts pull from

	dir     *directory
	tick    time.Duration
	started time.Time
	hosts   []*host
	key     operatorKey
	closed  sync.Once
}

// host is a running host.
type host struct {
	Host
	root     string
	behind   int     // the number of commits that a new checkout lacks
	slowness float64 // a factor of the tick, so that hosts differ in speed
	server   *sshtest.Server
}

// Start creates a fleet, or reopens the one in Options.Dir, and starts the SSH servers of its
// hosts. ctx applies to starting only. The caller must close the fleet.
func Start(ctx context.Context, o Options) (_ *Fleet, err error) {
	dir, err := openDirectory(o.Dir)
	if err != nil {
		return nil, err
	}
	f := &Fleet{
		Dir:       dir.path,
		Inventory: filepath.Join(dir.path, "hosts.toml"),
		Home:      filepath.Join(dir.path, "operator"),
		Origin:    filepath.Join(dir.path, "origin.git"),
		dir:       dir, tick: o.Tick, started: time.Now(),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	for i, h := range o.Hosts {
		f.hosts = append(f.hosts, &host{
			Host: h, root: f.Root(h.Name), behind: 1 + i%2, slowness: 0.6 + 0.1*float64(i%5),
		})
	}
	// The inventory is written last. If it exists, the fleet is complete.
	if _, err := os.Stat(f.Inventory); errors.Is(err, os.ErrNotExist) {
		if err := f.create(ctx); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	if f.key, err = newOperatorKey(); err != nil {
		return nil, err
	}
	if err := f.eachHost(f.startHost); err != nil {
		return nil, err
	}
	if err := f.writeOperatorFiles(); err != nil {
		return nil, err
	}
	return f, nil
}

// create creates the repository and the hosts. It first removes what an interrupted start left
// behind.
func (f *Fleet) create(ctx context.Context) error {
	for _, path := range []string{f.Home, f.Origin, f.Root("")} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if err := f.createRepository(ctx); err != nil {
		return err
	}
	return f.eachHost(func(h *host) error { return f.createHost(ctx, h) })
}

// startHost starts the SSH server of a host.
func (f *Fleet) startHost(h *host) (err error) {
	if _, err := os.Stat(h.root); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the fleet in %q was created without the host %q", f.Dir, h.Name)
	}
	if err := f.applyOptions(h); err != nil {
		return err
	}
	shell := sshtest.Shell{Dir: h.home(), Env: h.environ()}
	h.server, err = sshtest.New(sshtest.Config{
		AuthorizedKeys: []ssh.PublicKey{f.key.public},
		Handler: func(s *sshtest.Session) int {
			// Without them, the host reports those of this machine.
			_ = h.writeFigures(time.Since(f.started))
			return shell.Handle(s)
		},
		LoginCommand: fmt.Sprintf("echo 'This is a shell of the demo, without a terminal: enter commands line by line, or exit.'; PS1='%s$ ' exec /bin/sh -i +m", h.Name),
	})
	return err
}

// eachHost calls do for every host, a few at a time, and joins the errors.
func (f *Fleet) eachHost(do func(h *host) error) error {
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

// Root returns the root directory of a host. It contains the host's home and its system and Nix
// paths.
func (f *Fleet) Root(host string) string { return filepath.Join(f.Dir, "hosts", host) }

// Server returns the SSH server of a host, for tests that inject faults. It returns nil for an
// unknown host.
func (f *Fleet) Server(host string) *sshtest.Server {
	for _, h := range f.hosts {
		if h.Name == host {
			return h.server
		}
	}
	return nil
}

// HostEnviron returns the environment of a login on a host. It returns nil for an unknown host.
func (f *Fleet) HostEnviron(host string) []string {
	for _, h := range f.hosts {
		if h.Name == host {
			return h.environ()
		}
	}
	return nil
}

// Directives returns the directives of a host's newest configuration when the fleet was created. It
// returns nil for an unknown host.
func (f *Fleet) Directives(host string) []string {
	for _, h := range f.hosts {
		if h.Name == host {
			return h.Host.Directives
		}
	}
	return nil
}

// Environ returns environment variables that make fleetctl use this fleet. They override the
// caller's if appended to them.
func (f *Fleet) Environ() []string {
	return append([]string{
		"HOME=" + f.Home,
		"XDG_STATE_HOME=" + filepath.Join(f.Home, ".local", "state"),
		"XDG_CONFIG_HOME=" + filepath.Join(f.Home, ".config"),
		"SSH_AUTH_SOCK=",
		"FLEETCTL_INVENTORY=" + f.Inventory,
	}, gitIsolation...)
}

// Close stops the hosts' SSH servers and their jobs, and removes a temporary directory. Later calls
// do nothing.
func (f *Fleet) Close() (err error) {
	f.closed.Do(func() {
		err = errors.Join(f.eachHost(f.stopHost), f.dir.close())
	})
	return err
}

func (f *Fleet) stopHost(h *host) error {
	if h.server == nil {
		return nil
	}
	return errors.Join(h.server.Close(), f.killJobs(h))
}
