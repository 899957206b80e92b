//go:build !race

package tui

import (
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/charmbracelet/colorprofile"

	"github.com/markus-barta/nixfleet/fleet"
)

// busyTable returns a driver with a run on a large fleet, in a large window.
func busyTable(hosts int) *driver {
	d := newDriver(large(hosts), 160, 50)
	d.options.Profile = colorprofile.TrueColor
	d.repaint()
	run := d.newRun()
	names := make([]string, hosts)
	for i, h := range d.hosts.rows {
		names[i] = h.Name
	}
	run.start(names...)
	d.screen()
	return d
}

// threeLines returns a batch with a log line of each of three hosts.
func threeLines(d *driver) batchMsg {
	var b batchMsg
	for i := range 3 {
		b.events = append(b.events, fleet.Event{Run: "20261124-120000-k3f9", Seq: 9, Time: noon.Add(time.Second),
			Type: fleet.LogLine, Host: d.hosts.rows[i].Name, Stream: "out", Line: "building '/nix/store/hello-2.12.drv'"})
	}
	return b
}

func TestFrameAllocationsDoNotGrowWithHosts(t *testing.T) {
	few, many := busyTable(1000), busyTable(10000)
	frame := func(d *driver) func() {
		few := threeLines(d)
		return func() { d.send(few); d.View() }
	}
	a, b := testing.AllocsPerRun(100, frame(few)), testing.AllocsPerRun(100, frame(many))
	if a > 80 || b > 1.3*a {
		t.Errorf("a frame takes %v allocations with 1,000 hosts and %v with 10,000; 80 are allowed, and 1.3 times as many", a, b)
	}
}

func TestFrameAllocationsDoNotGrowWithLog(t *testing.T) {
	allocs := func(lines int) float64 {
		d := newDriver(barta(), 160, 50)
		d.hosts.rows[0].log.buffer = longLog(lines)
		d.press("l")
		return testing.AllocsPerRun(50, func() { d.View() })
	}
	if few, many := allocs(1000), allocs(1_000_000); many > few || few > 80 {
		t.Errorf("a frame takes %v allocations with 1,000 lines and %v with a million", few, many)
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, hosts := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("%d hosts", hosts), func(b *testing.B) {
			d := busyTable(hosts)
			few := threeLines(d)
			b.ReportAllocs()
			for b.Loop() {
				d.send(few)
				d.View()
			}
		})
	}
}

func BenchmarkLog(b *testing.B) {
	for _, lines := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("%d lines", lines), func(b *testing.B) {
			d := newDriver(barta(), 160, 50)
			d.hosts.rows[0].log.buffer = longLog(lines)
			d.press("l")
			b.ReportAllocs()
			for b.Loop() {
				d.View()
			}
		})
	}
}

// Benchmark5000EventsPerSecond simulates a second of 1,000 hosts with 5,000 log lines, in batches
// of 50 ms with a frame after each.
func Benchmark5000EventsPerSecond(b *testing.B) {
	d := busyTable(1000)
	batches := make([]batchMsg, 20)
	for i := range 5000 {
		at := &batches[i/250]
		at.events = append(at.events, fleet.Event{Run: "20261124-120000-k3f9", Seq: uint64(2000 + i), Time: noon.Add(time.Second),
			Type: fleet.LogLine, Host: d.hosts.rows[i%1000].Name, Stream: "out", Line: "building '/nix/store/hello-2.12.drv'"})
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, batch := range batches {
			d.send(batch)
			d.View()
		}
	}
}

// BenchmarkKeyToFrame measures the response to a key in a fleet of 10,000 hosts.
func BenchmarkKeyToFrame(b *testing.B) {
	d := busyTable(10000)
	key := tea.KeyPressMsg{Code: 'j', Text: "j"}
	for b.Loop() {
		d.send(key)
		d.View()
	}
}

func TestFrameAllocationsOfFoldedLog(t *testing.T) {
	d := newDriver(barta(), 160, 50)
	log := newLogBuffer(1_000_000)
	for i := range 1_000_000 {
		log.push(logLine{at: noon, stream: "out", text: fmt.Sprintf("hello-2.12> checking %d", i)})
	}
	d.hosts.rows[0].log.buffer = log
	d.press("l")
	folded := testing.AllocsPerRun(50, func() { d.View() })
	d.press("z")
	if unfolded := testing.AllocsPerRun(50, func() { d.View() }); folded > 80 || unfolded > 80 {
		t.Errorf("a frame takes %v allocations folded, and %v not", folded, unfolded)
	}
}
