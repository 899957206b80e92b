package record

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// recordRun records a run of a deploy that one host missed.
func recordRun(t *testing.T, s *Store, host string) *Record {
	t.Helper()
	record, journal, err := s.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	start := &fleet.Start{Fleet: "test", Goal: fleet.GoalSwitch, Hosts: []fleet.PlannedHost{{Name: host}}}
	result := &fleet.Result{Outcome: fleet.Unreachable, Code: fleet.CodeOffline, Reason: "no route"}
	for seq, ev := range []fleet.Event{
		{Type: fleet.RunStarted, Start: start},
		{Type: fleet.StepStarted, Host: host, Step: fleet.Connect},
		{Type: fleet.HostFinished, Host: host, Result: result},
		{Type: fleet.RunFinished},
	} {
		ev.Seq = uint64(seq)
		if seq == 2 { // another process takes over
			if err := journal.Close(); err != nil {
				t.Fatal(err)
			}
			if journal, err = record.Acquire(); err != nil {
				t.Fatal(err)
			}
		}
		if err := journal.Append(ev); err != nil {
			t.Fatal(err)
		}
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	return record
}

// TestDamagedRecordCostsOnlyItself damages one of three records in many ways: the history of the
// others is complete, and the damaged one is named.
func TestDamagedRecordCostsOnlyItself(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := &Store{Dir: t.TempDir()}
	recordRun(t, s, "a")
	damaged := recordRun(t, s, "b")
	recordRun(t, s, "c")
	pending := func() ([]string, error) {
		history, err := s.HostHistory("test")
		var hosts []string
		for _, p := range history.Pending {
			hosts = append(hosts, p.Host)
		}
		slices.Sort(hosts)
		return hosts, err
	}
	if hosts, err := pending(); err != nil || !slices.Equal(hosts, []string{"a", "b", "c"}) {
		t.Fatalf("before any damage: %q, %v", hosts, err)
	}
	whole, err := os.ReadFile(damaged.EventsPath())
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		text := bytes.Clone(whole)
		// The last byte ends the last line. Without it, the line may still be written.
		at := random.IntN(len(text) - 1)
		to := min(at+1+random.IntN(40), len(text)-1)
		how := []string{"changed", "removed", "inserted", "erased", "repeated"}[random.IntN(5)]
		switch how {
		case "changed":
			text[at] ^= byte(1 + random.IntN(255))
		case "removed":
			text = slices.Delete(text, at, to)
		case "inserted":
			text = slices.Insert(text, at, byte(random.IntN(256)))
		case "erased":
			clear(text[at:to])
		case "repeated":
			text = slices.Insert(text, at, text[at:to]...)
		}
		if bytes.Equal(text, whole) {
			continue
		}
		if err := os.WriteFile(damaged.EventsPath(), text, 0o600); err != nil {
			t.Fatal(err)
		}
		hosts, err := pending()
		if _, ok := errors.AsType[*DamagedError](err); !ok || !strings.Contains(err.Error(), damaged.Run) || !slices.Equal(hosts, []string{"a", "c"}) {
			t.Fatalf("bytes %d to %d %s: pending on %q, %v\n%q", at, to, how, hosts, err, text)
		}
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, text := range map[string][]byte{
		"a line is missing": bytes.Join([][]byte{lines[0], lines[2], lines[3]}, nil),
		"two lines swapped": bytes.Join([][]byte{lines[0], lines[2], lines[1], lines[3]}, nil),
		"a line twice":      bytes.Join([][]byte{lines[0], lines[1], lines[1], lines[2], lines[3]}, nil),
	} {
		if err := os.WriteFile(damaged.EventsPath(), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if hosts, err := pending(); err == nil || !slices.Equal(hosts, []string{"a", "c"}) {
			t.Errorf("%s: pending on %q, %v", name, hosts, err)
		}
	}
	if failed, err := s.Failed("test"); err == nil && len(failed) > 0 {
		t.Errorf("failed %q, %v", failed, err)
	}
}
