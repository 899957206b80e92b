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

// busyDesk is a fleet of which a few hosts work, on a large window.
func busyDesk(hosts int) *desk {
	d := newDesk(large(hosts), 160, 50)
	d.o.Profile = colorprofile.TrueColor
	d.paint()
	run := d.tell()
	names := make([]string, hosts)
	for i, h := range d.rows {
		names[i] = h.Name
	}
	run.begins(names...)
	d.screen()
	return d
}

// fewDirty is a batch in which three hosts say something.
func fewDirty(d *desk) batchMsg {
	var b batchMsg
	for i := range 3 {
		b.events = append(b.events, fleet.Event{Run: "20261124-120000-k3f9", Seq: 9, Time: noon.Add(time.Second),
			Type: fleet.LogLine, Host: d.rows[i].Name, Stream: "out", Line: "building '/nix/store/hello-2.12.drv'"})
	}
	return b
}

func TestAFrameIsAsCheapWithTenThousandHosts(t *testing.T) {
	few, many := busyDesk(1000), busyDesk(10000)
	frame := func(d *desk) func() {
		few := fewDirty(d)
		return func() { d.send(few); d.View() }
	}
	a, b := testing.AllocsPerRun(100, frame(few)), testing.AllocsPerRun(100, frame(many))
	if a > 80 || b > 1.3*a {
		t.Errorf("a frame takes %v allocations with 1,000 hosts and %v with 10,000; 80 are allowed, and 1.3 times as many", a, b)
	}
}

func TestALineOfALogIsAsCheapWhenThereAreAMillion(t *testing.T) {
	allocs := func(lines int) float64 {
		d := newDesk(barta(), 160, 50)
		d.rows[0].log.tail = longTail(lines)
		d.press("l")
		return testing.AllocsPerRun(50, func() { d.View() })
	}
	if few, many := allocs(1000), allocs(1_000_000); many > few || few > 80 {
		t.Errorf("a frame takes %v allocations with 1,000 lines and %v with a million", few, many)
	}
}

func longTail(lines int) *tail {
	log := newTail(lines)
	for i := range lines {
		log.push(logLine{at: noon, stream: "out", text: fmt.Sprintf("copying path '/nix/store/%032d-hello-2.12'", i)})
	}
	return log
}

func BenchmarkFrame(b *testing.B) {
	for _, hosts := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("%d hosts", hosts), func(b *testing.B) {
			d := busyDesk(hosts)
			few := fewDirty(d)
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
			d := newDesk(barta(), 160, 50)
			d.rows[0].log.tail = longTail(lines)
			d.press("l")
			b.ReportAllocs()
			for b.Loop() {
				d.View()
			}
		})
	}
}

// A second of a thousand hosts that say five thousand lines, in batches of 50 ms, with a frame after each.
func BenchmarkASecondOfFiveThousandEvents(b *testing.B) {
	d := busyDesk(1000)
	batches := make([]batchMsg, 20)
	for i := range 5000 {
		at := &batches[i/250]
		at.events = append(at.events, fleet.Event{Run: "20261124-120000-k3f9", Seq: uint64(2000 + i), Time: noon.Add(time.Second),
			Type: fleet.LogLine, Host: d.rows[i%1000].Name, Stream: "out", Line: "building '/nix/store/hello-2.12.drv'"})
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, batch := range batches {
			d.send(batch)
			d.View()
		}
	}
}

// A key is answered at once, however many hosts there are.
func BenchmarkKeyToFrame(b *testing.B) {
	d := busyDesk(10000)
	key := tea.KeyPressMsg{Code: 'j', Text: "j"}
	for b.Loop() {
		d.send(key)
		d.View()
	}
}

func TestALogOfNothingButABuildIsAsCheapAsAny(t *testing.T) {
	d := newDesk(barta(), 160, 50)
	log := newTail(1_000_000)
	for i := range 1_000_000 {
		log.push(logLine{at: noon, stream: "out", text: fmt.Sprintf("hello-2.12> checking %d", i)})
	}
	d.rows[0].log.tail = log
	d.press("l")
	folded := testing.AllocsPerRun(50, func() { d.View() })
	d.press("z")
	if unfolded := testing.AllocsPerRun(50, func() { d.View() }); folded > 80 || unfolded > 80 {
		t.Errorf("a frame takes %v allocations folded, and %v not", folded, unfolded)
	}
}
