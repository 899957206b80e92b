//go:build !race

package tui

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/markus-barta/nixfleet/fleet"
)

// The real program on a terminal in memory. Each iteration is a second in which 1,000 hosts tell 5,000 things, most of them lines of
// logs, while somebody moves the cursor. It reports how much of a core that takes, the terminal in memory included; how long a key
// waits until its frame is on the screen; and how much the heap has grown. A minute of it:
//
//	go test ./tui -run '^$' -bench UnderLoad -benchtime 60x
func BenchmarkUnderLoad(b *testing.B) {
	s := &watchedScreen{screen: newScreen(b, 160, 50)}
	keyboard, typed, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer keyboard.Close()
	defer typed.Close()
	table := newTable(context.Background(), TableOptions{
		In: keyboard, Out: s, Environ: []string{"TERM=xterm-256color"}, Profile: colorprofile.TrueColor, Now: time.Now,
		Inventory: large(1000), Settings: Settings{Theme: Terminal},
	}, tea.WithWindowSize(160, 50), tea.WithoutSignalHandler())
	for _, r := range table.ui.hosts.rows { // logs that are full do not grow: what grows then is something else
		r.log.buffer = longLog(r.log.buffer.limit)
	}
	ended := make(chan error, 1)
	go func() { ended <- table.Run() }()
	stop := make(chan struct{})
	var load crowd
	load.Go(func() { load.tell(table, stop) })

	random, down := rand.New(rand.NewPCG(7, 11)), true
	press := func() time.Duration {
		key, line := "j", 3 // the first two are header and heads
		if !down {
			key, line = "k", 2
		}
		down = !down
		return s.answer(b, typed, key, line)
	}
	press()
	heap, began, spent := heapInUse(), time.Now(), cpuTime(b)
	var waits []time.Duration
	for b.Loop() {
		for second := time.Now().Add(time.Second); time.Now().Before(second); {
			time.Sleep(time.Duration(40+random.IntN(60)) * time.Millisecond) // at any moment between two batches and two frames
			waits = append(waits, press())
		}
	}
	spent, took := cpuTime(b)-spent, time.Since(began)
	close(stop)
	load.Wait()
	grown := int64(heapInUse()) - int64(heap)

	slices.Sort(waits)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(0, "ns/op") // a second is a second
	b.ReportMetric(float64(spent)/float64(took), "cores")
	b.ReportMetric(float64(load.told)/took.Seconds(), "events/s")
	b.ReportMetric(ms(waits[len(waits)/2]), "ms/key-median")
	b.ReportMetric(ms(waits[len(waits)-1]), "ms/key-longest")
	b.ReportMetric(float64(grown)/(1<<20), "MiB-grown")
	table.program.Quit()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

// crowd is a fleet of which every host has much to say.
type crowd struct {
	sync.WaitGroup
	told int
}

// tell has each host begin, and then all of them go on, in turn: lines that they print, and now and then how far they are.
func (c *crowd) tell(table *Table, stop <-chan struct{}) {
	const every = 10 * time.Millisecond
	run := &scriptedRun{emit: func(ev fleet.Event) { ev.Time = time.Now(); table.Event(ev) }}
	var names []string
	for _, h := range table.ui.options.Inventory.Hosts {
		names = append(names, h.Name)
	}
	run.start(names...)
	for _, name := range names {
		run.step(name, fleet.Build, 0)
	}
	clock := time.NewTicker(every)
	defer clock.Stop()
	for began := time.Now(); ; {
		select {
		case <-stop:
			return
		case now := <-clock.C:
			for due := int(now.Sub(began) * 5000 / time.Second); c.told < due; c.told++ {
				host := names[c.told%len(names)]
				if turn := c.told / len(names); turn%10 == 9 {
					run.event(0, fleet.Event{Type: fleet.ProgressMade, Host: host, Progress: &fleet.Progress{Builds: turn % 50, BuildsExpected: 50, Building: "linux-6.12.9"}})
				} else {
					run.line(host, "out", fmt.Sprintf("copying path '/nix/store/%032d-hello-2.12'", c.told))
				}
			}
		}
	}
}

// watchedScreen is a terminal in memory that tells when the cursor's bar has come to a line.
type watchedScreen struct {
	*screen
	line int
	came chan time.Time
}

func (s *watchedScreen) Write(p []byte) (int, error) {
	n, err := s.screen.Write(p)
	s.look()
	return n, err
}

func (s *watchedScreen) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.came == nil {
		return
	}
	if cell := s.emu.CellAt(0, s.line); cell != nil && cell.Content == "▌" {
		s.came <- time.Now()
		s.came = nil
	}
}

// answer types a key that moves the bar to a line, and returns how long that took.
func (s *watchedScreen) answer(b *testing.B, keyboard *os.File, key string, line int) time.Duration {
	b.Helper()
	came := make(chan time.Time, 1)
	s.mu.Lock()
	s.line, s.came = line, came
	s.mu.Unlock()
	pressed := time.Now()
	if _, err := keyboard.WriteString(key); err != nil {
		b.Fatal(err)
	}
	select {
	case at := <-came:
		return at.Sub(pressed)
	case <-time.After(10 * time.Second):
		b.Fatalf("%q is never answered:\n%s", key, s.text())
	}
	return 0
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// cpuTime is what this process has spent.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
