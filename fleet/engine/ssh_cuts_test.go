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

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// cutter is a network between the operator and one host, which ends a connection after so many bytes in both directions together.
type cutter struct {
	listener net.Listener
	host     string // HOST:PORT of its SSH server
	tasks    sync.WaitGroup
	nth      atomic.Int64 // connection
	first    atomic.Int64 // after how many bytes the first connection is cut; 0 never
	third    atomic.Int64 // and the third: one that follows, or a new login
	cuts     atomic.Int64
	most     atomic.Int64 // bytes of the longest connection
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
			c.tasks.Go(func() { c.carry(near, c.limit()) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		c.tasks.Wait()
	})
	return c
}

// limits has the connections to come cut.
func (c *cutter) limits(first, third int64) {
	c.nth.Store(0)
	c.cuts.Store(0)
	c.first.Store(1 + first)
	c.third.Store(1 + third)
}

func (c *cutter) limit() int64 {
	limit := int64(0)
	switch c.nth.Add(1) {
	case 1:
		limit = c.first.Load()
	case 3:
		limit = c.third.Load()
	}
	if limit == 0 {
		return 1 << 40
	}
	return limit
}

func (c *cutter) carry(near net.Conn, limit int64) {
	defer near.Close()
	far, err := net.Dial("tcp", c.host)
	if err != nil {
		return
	}
	defer far.Close()
	var carried atomic.Int64
	var ways sync.WaitGroup
	way := func(to, from net.Conn) {
		defer near.Close()
		defer far.Close()
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			over := carried.Add(int64(n)) - limit
			if over > 0 {
				n = max(0, n-int(over))
				c.cuts.Add(1)
			}
			if _, writeErr := to.Write(buf[:n]); err != nil || writeErr != nil || over > 0 {
				return
			}
		}
	}
	ways.Go(func() { way(far, near) })
	ways.Go(func() { way(near, far) })
	ways.Wait()
	for most := c.most.Load(); carried.Load() > most && !c.most.CompareAndSwap(most, carried.Load()); most = c.most.Load() {
	}
}

// TestAHundredCutsOfRealConnections deploys over connections that are cut at a random byte: while logging in, while the script is sent, in the
// middle of the log. Every host must end as if nothing had happened.
func TestDeploySurvivesCutConnections(t *testing.T) {
	const hosts, cuts = 10, 100
	rounds := cuts / hosts
	if testing.Short() {
		rounds = 1
	}
	var all []demo.Host
	for i := range hosts {
		all = append(all, demo.Host{Name: fmt.Sprintf("cut%d", i), Kind: []string{"nixos", "home"}[i%2], User: "mba", Wave: 1})
	}
	f := fleettest.New(t, all...)
	known, err := os.OpenFile(filepath.Join(f.Home, ".ssh", "known_hosts"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var cutters []*cutter
	for _, h := range f.Inv.Hosts {
		c := newCutter(t, f.Server(h.Name).Addr())
		cutters = append(cutters, c)
		f.Ways[h.Name] = c.listener.Addr().String()
		fmt.Fprintf(known, "[127.0.0.1]:%d %s", c.listener.Addr().(*net.TCPAddr).Port, ssh.MarshalAuthorizedKey(f.Server(h.Name).HostKey()))
	}
	known.Close()
	nothing := func(fleet.Event) {}

	f.Deploy(t.Context(), nothing) // uncut, to see how long a connection is
	random := rand.New(rand.NewSource(1))
	cut := 0
	for range rounds {
		for _, c := range cutters {
			c.limits(random.Int63n(c.most.Load()), random.Int63n(c.most.Load()))
		}
		rev, state := f.Deploy(t.Context(), nothing)
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
