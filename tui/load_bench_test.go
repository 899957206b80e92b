//go:build !race

package tui

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/markus-barta/nixfleet/fleet"
)

// BenchmarkUnderLoad runs the real program on a terminal in memory. Each iteration is a second in
// which 1,000 hosts report 5,000 events, most of them log lines, while the cursor moves. It reports
// how much of a core that takes, including the terminal in memory; how long a key waits until its
// frame is on the screen; and how much the heap has grown. A minute of it:
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
	for _, r := range table.ui.hosts.rows {
		// full logs do not grow, so that the heap shows what else does
		r.log.buffer = longLog(r.log.buffer.limit)
	}
	ended := make(chan error, 1)
	go func() { ended <- table.Run() }()
	stop := make(chan struct{})
	var load crowd
	load.Go(func() { load.report(table, stop) })

	random, down := rand.New(rand.NewPCG(7, 11)), true
	press := func() time.Duration {
		key, line := "j", 4 // below the header, the timeline and the column heads
		if !down {
			key, line = "k", 3
		}
		down = !down
		return s.pressAndWait(b, typed, key, line)
	}
	s.waitFor(b, func(text string) bool { return strings.Contains(text, "wave 1") }, "the timeline of the run")
	press()
	heap, began, spent := heapInUse(), time.Now(), cpuTime(b)
	var waits []time.Duration
	for b.Loop() {
		for second := time.Now().Add(time.Second); time.Now().Before(second); {
			// at a random moment between two batches and two frames
			time.Sleep(time.Duration(40+random.IntN(60)) * time.Millisecond)
			waits = append(waits, press())
		}
	}
	spent, took := cpuTime(b)-spent, time.Since(began)
	close(stop)
	load.Wait()
	grown := int64(heapInUse()) - int64(heap)

	slices.Sort(waits)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(0, "ns/op") // always a second
	b.ReportMetric(float64(spent)/float64(took), "cores")
	b.ReportMetric(float64(load.events)/took.Seconds(), "events/s")
	b.ReportMetric(ms(waits[len(waits)/2]), "ms/key-median")
	b.ReportMetric(ms(waits[len(waits)-1]), "ms/key-longest")
	b.ReportMetric(float64(grown)/(1<<20), "MiB-grown")
	table.program.Quit()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

// crowd is a fleet whose hosts report many events.
type crowd struct {
	sync.WaitGroup
	events int
}

// report starts a run on all hosts, and then reports log lines and sometimes progress for each in
// turn.
func (c *crowd) report(table *Table, stop <-chan struct{}) {
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
			for due := int(now.Sub(began) * 5000 / time.Second); c.events < due; c.events++ {
				host := names[c.events%len(names)]
				if turn := c.events / len(names); turn%10 == 9 {
					run.event(0, fleet.Event{Type: fleet.ProgressMade, Host: host, Progress: &fleet.Progress{Builds: turn % 50, BuildsExpected: 50, Building: "linux-6.12.9"}})
				} else {
					run.line(host, "out", fmt.Sprintf("copying path '/nix/store/%032d-hello-2.12'", c.events))
				}
			}
		}
	}
}

// watchedScreen is a terminal in memory that reports when the cursor's bar is on a line.
type watchedScreen struct {
	*screen
	line int
	came chan time.Time
}

func (s *watchedScreen) Write(p []byte) (int, error) {
	n, err := s.screen.Write(p)
	s.check()
	return n, err
}

func (s *watchedScreen) check() {
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

// pressAndWait types a key that moves the bar to a line, and returns how long that took.
func (s *watchedScreen) pressAndWait(b *testing.B, keyboard *os.File, key string, line int) time.Duration {
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
		b.Fatalf("no frame after %q:\n%s", key, s.text())
	}
	return 0
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// cpuTime returns the CPU time of this process.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
