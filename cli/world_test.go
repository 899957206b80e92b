package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// world is an Env that touches nothing, with what was written to it.
type world struct {
	*Env
	out, err *buffer
}

func newWorld(t *testing.T) *world {
	w := &world{out: new(buffer), err: new(buffer)}
	variables := map[string]string{"TERM": "xterm-256color"}
	w.Env = &Env{
		In: strings.NewReader(""), Out: w.out, Err: w.err,
		Getenv:  func(name string) string { return variables[name] },
		Environ: []string{"TERM=xterm-256color"},
		Home:    t.TempDir(), User: "mba", Machine: "imac0", Dir: t.TempDir(),
		Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
	}
	return w
}

// buffer is written to by several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// hostsNamed are hosts with nothing but names.
func hostsNamed(names ...string) []*inventory.Host {
	var hosts []*inventory.Host
	for _, name := range names {
		hosts = append(hosts, &inventory.Host{Name: name, Kind: inventory.NixOS, Wave: 1, Timeouts: inventory.DefaultTimeouts()})
	}
	return hosts
}

// fakeHosts is what each host does with a command that it is given. A host that is not in it is offline.
type fakeHosts map[string]func(ctx context.Context, cmd host.Command) (int, error)

func (f fakeHosts) Dial(_ context.Context, h *inventory.Host) (host.Conn, error) {
	run, ok := f[h.Name]
	if !ok {
		return nil, offlineError{h.Name}
	}
	return fakeConn{run}, nil
}

type fakeConn struct {
	run func(context.Context, host.Command) (int, error)
}

func (c fakeConn) Run(ctx context.Context, cmd host.Command) (int, error) { return c.run(ctx, cmd) }
func (fakeConn) Close() error                                             { return nil }
func (fakeConn) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

type offlineError struct{ host string }

func (e offlineError) Error() string { return e.host + ": connect: connection refused" }
func (offlineError) Offline() bool   { return true }
func (offlineError) Hint() string    { return "is it on?" }

// prints is a host that prints what it is made with, and ends with a status.
func prints(stdout, stderr string, exit int) func(context.Context, host.Command) (int, error) {
	return func(_ context.Context, cmd host.Command) (int, error) {
		io.WriteString(cmd.Stdout, stdout)
		io.WriteString(cmd.Stderr, stderr)
		return exit, nil
	}
}

// code is the exit code that an error of a command leads to.
func code(err error) int { return exitCode(err, true) }
