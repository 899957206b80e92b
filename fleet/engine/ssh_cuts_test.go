package engine_test

import (
	"fmt"
	"math/rand"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
	"github.com/markus-barta/nixfleet/internal/testrounds"
)

// cutter forwards connections to the SSH server of one host. It cuts a connection after a number of
// bytes, counted in both directions together.
type cutter struct {
	listener net.Listener
	host     string // HOST:PORT of its SSH server
	tasks    sync.WaitGroup
	accepted atomic.Int64 // number of connections
	first    atomic.Int64 // bytes after which the first connection is cut; 0 means never
	third    atomic.Int64 // likewise for the third one: an attach, or a new login
	cuts     atomic.Int64
	mostCuts atomic.Int64 // of every connection, each at a random byte below every
	every    atomic.Int64
	longest  atomic.Int64 // bytes of the longest connection
}

func newCutter(t *testing.T, host string) *cutter {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: listener, host: host}
	c.tasks.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			c.tasks.Go(func() { c.forward(near, c.limit()) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		c.tasks.Wait()
	})
	return c
}

// cutNext sets where the next connections are cut.
func (c *cutter) cutNext(first, third int64) {
	c.accepted.Store(0)
	c.cuts.Store(0)
	c.first.Store(1 + first)
	c.third.Store(1 + third)
}

// limit returns after how many bytes to cut the connection that was just accepted.
func (c *cutter) limit() int64 {
	limit := int64(0)
	switch c.accepted.Add(1) {
	case 1:
		limit = c.first.Load()
	case 3:
		limit = c.third.Load()
	}
	if every := c.every.Load(); every > 0 && c.cuts.Load() < c.mostCuts.Load() {
		return 1 + rand.Int63n(every)
	}
	if limit == 0 {
		return 1 << 40
	}
	return limit
}

// forward copies both directions of a connection.
func (c *cutter) forward(near net.Conn, limit int64) {
	defer near.Close()
	far, err := net.Dial("tcp", c.host)
	if err != nil {
		return
	}
	defer far.Close()
	var forwarded atomic.Int64
	var directions sync.WaitGroup
	copy := func(to, from net.Conn) {
		defer near.Close()
		defer far.Close()
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			over := forwarded.Add(int64(n)) - limit
			if over > 0 {
				n = max(0, n-int(over))
				c.cuts.Add(1)
			}
			if _, writeErr := to.Write(buf[:n]); err != nil || writeErr != nil || over > 0 {
				return
			}
		}
	}
	directions.Go(func() { copy(far, near) })
	directions.Go(func() { copy(near, far) })
	directions.Wait()
	for {
		longest := c.longest.Load()
		if forwarded.Load() <= longest || c.longest.CompareAndSwap(longest, forwarded.Load()) {
			return
		}
	}
}

// newCutters puts a cutter in front of each host of a fleet.
func newCutters(t *testing.T, f *fleettest.Fleet) []*cutter {
	known, err := os.OpenFile(filepath.Join(f.Home, ".ssh", "known_hosts"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer known.Close()
	var cutters []*cutter
	for _, h := range f.Inv.Hosts {
		c := newCutter(t, f.Server(h.Name).Addr())
		cutters = append(cutters, c)
		f.Addresses[h.Name] = c.listener.Addr().String()
		port := c.listener.Addr().(*net.TCPAddr).Port
		fmt.Fprintf(known, "[127.0.0.1]:%d %s", port, ssh.MarshalAuthorizedKey(f.Server(h.Name).HostKey()))
	}
	return cutters
}

// TestDeploySurvivesCutConnections deploys over connections that are cut at a random byte: while
// logging in, while the script is sent, in the middle of the log. Every host must finish as if
// nothing had happened.
func TestDeploySurvivesCutConnections(t *testing.T) {
	hosts, rounds := testrounds.N(2, 10), testrounds.N(1, 10)
	var all []demo.Host
	for i := range hosts {
		all = append(all, demo.Host{Name: fmt.Sprintf("cut%d", i), Kind: []string{"nixos", "home"}[i%2], User: "mba", Wave: 1})
	}
	f := fleettest.New(t, all...)
	cutters := newCutters(t, f)
	discard := func(fleet.Event) {}

	f.Deploy(t.Context(), discard) // uncut, to measure the connections
	random := rand.New(rand.NewSource(1))
	cut := 0
	for range rounds {
		for _, c := range cutters {
			for c.longest.Load() == 0 { // it is measured when the connection has been closed
				time.Sleep(time.Millisecond)
			}
			c.cutNext(random.Int63n(c.longest.Load()), random.Int63n(c.longest.Load()))
		}
		rev, state := f.Deploy(t.Context(), discard)
		for i, h := range state.Hosts {
			if h.Result.Outcome != fleet.Switched || h.Result.After != rev {
				t.Errorf("%s: %+v", h.Name, *h.Result)
			}
			if cutters[i].cuts.Load() > 0 {
				cut++
			}
			f.ExpectWholeLog(state.Run, h.Name)
		}
	}
	t.Logf("%d hosts were cut", cut)
	if cut < rounds*hosts*9/10 {
		t.Errorf("only %d hosts were cut", cut)
	}
}
