package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunIDsSortByTimeAndDiffer(t *testing.T) {
	now := time.Date(2026, 11, 24, 5, 42, 38, 0, time.UTC)
	a, b := NewRunID(now), NewRunID(now)
	if a == b || len(a) != len("20261124-054238-k3f9") || !strings.HasPrefix(a, "20261124-054238-") || NewRunID(now.Add(time.Second)) < a {
		t.Errorf("%q, %q", a, b)
	}
}

func TestOpenFindsARunByWhatIsUnique(t *testing.T) {
	dir := t.TempDir()
	for _, run := range []string{"20261124-054238-k3f9", "20261124-070000-aaaa", "20261125-080000-k3f0"} {
		recordOf(t, dir, run, `{}`)
	}
	records := &Records{Dir: dir}
	for id, want := range map[string]string{
		"20261124-054238-k3f9": "20261124-054238-k3f9",
		"20261125":             "20261125-080000-k3f0",
		"k3f9":                 "20261124-054238-k3f9",
		"20261124":             "may be any of 2 runs: 20261124-070000-aaaa, 20261124-054238-k3f9",
		"nope":                 `there is no run "nope"`,
		"":                     `there is no run ""`,
		"../..":                `there is no run "../.."`,
	} {
		record, err := records.Open(id)
		if err == nil && record.Run != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, %v; want %s", id, record, err, want)
		}
	}
	if latest, err := records.Latest(); err != nil || latest.Run != "20261125-080000-k3f0" {
		t.Errorf("latest %v, %v", latest, err)
	}
	if _, err := (&Records{Dir: filepath.Join(dir, "none")}).Latest(); err == nil || !strings.Contains(err.Error(), "no runs yet") {
		t.Errorf("error %v", err)
	}
}

// recordOf is a record with a first event, of which start is a part.
func recordOf(t *testing.T, dir, run, start string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, run), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, run, "events.jsonl"), []byte(`{"type":"run_started","start":`+start+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheLatestRunIsNoPartOfAnotherAndHasBegun(t *testing.T) {
	dir := t.TempDir()
	recordOf(t, dir, "20261124-054238-k3f9", `{}`)
	recordOf(t, dir, "20261124-054300-aaaa", `{"goal":"rollback","of":"20261124-054238-k3f9"}`)
	if err := os.Mkdir(filepath.Join(dir, "20261124-054400-bbbb"), 0o700); err != nil {
		t.Fatal(err)
	}
	if latest, err := (&Records{Dir: dir}).Latest(); err != nil || latest.Run != "20261124-054238-k3f9" {
		t.Errorf("latest %v, %v", latest, err)
	}
}

func TestARunsPartsAreFoundBesideARecordThatIsBroken(t *testing.T) {
	records := &Records{Dir: t.TempDir()}
	recordOf(t, records.Dir, "20261124-054238-k3f9", `{}`)
	recordOf(t, records.Dir, "20261124-054300-aaaa", `{"goal":"rollback","of":"20261124-054238-k3f9"}`)
	recordOf(t, records.Dir, "20261123-010203-cccc", `{}`)
	broken, err := os.OpenFile(filepath.Join(records.Dir, "20261123-010203-cccc", "events.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(broken, "no event")
	broken.Close()
	parts, err := records.partsOf("20261124-054238-k3f9")
	if err != nil || len(parts) != 1 || parts[0].Run != "20261124-054300-aaaa" {
		t.Errorf("parts %v, %v", parts, err)
	}
}

func TestOneProcessOwnsARecord(t *testing.T) {
	record, owned, err := (&Records{Dir: t.TempDir()}).create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.own(); err != errOwned || !record.Living() {
		t.Errorf("owned twice: %v", err)
	}
	owned.close()
	if record.Living() {
		t.Error("it lives on without an owner")
	}
}

func TestABrokenRecordIsAnErrorWithItsLine(t *testing.T) {
	record, owned, _ := (&Records{Dir: t.TempDir()}).create(time.Now())
	defer owned.close()
	os.WriteFile(record.events(), []byte(`{"seq":1,"type":"run_started"}`+"\nnonsense\n"), 0o600)
	if _, err := record.State(); err == nil || !strings.Contains(err.Error(), "events.jsonl:2: ") {
		t.Errorf("error %v", err)
	}
}

func TestTheRecordAloneTellsHowARunWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.hosts["b"].log = broken("build", "build", "x")
		w.run(Options{})
		seen, recorded := w.state(), &State{}
		if err := w.record().Replay(recorded.Apply); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(seen.Start, recorded.Start) || !reflect.DeepEqual(seen.Summary, recorded.Summary) {
			t.Errorf("seen %+v %+v, recorded %+v %+v", seen.Start, seen.Summary, recorded.Start, recorded.Summary)
		}
		for i, h := range seen.Hosts {
			r := recorded.Hosts[i]
			if !reflect.DeepEqual(h.Result, r.Result) || !reflect.DeepEqual(h.Facts, r.Facts) || h.Step != r.Step || h.Phase != Done {
				t.Errorf("seen %+v, recorded %+v", h, r)
			}
		}
		var lines []string
		err := w.record().Lines("a", func(stream, line string) { lines = append(lines, stream+": "+line) })
		if err != nil || strings.Join(lines, "\n") != w.lines("a") {
			t.Errorf("lines %q, %v", lines, err)
		}
		if err := w.record().Lines("c", func(string, string) {}); err == nil || !strings.Contains(err.Error(), `no log of "c"`) {
			t.Errorf("error %v", err)
		}
	})
}

func TestALogThatCannotBeKeptIsToldAndChangesNoOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.hosts["web"].dials = func(int) error { time.Sleep(time.Second); return nil }
		_, err := w.engine.Run(t.Context(), w.plan(Options{}), w.sink(func(ev Event) {
			if ev.Type == StepStarted && ev.Step == Connect {
				os.RemoveAll(filepath.Join(w.record().Dir, "hosts"))
			}
		}))
		if err == nil || strings.Count(err.Error(), "the log of web is not whole: ") != 1 {
			t.Errorf("error %v", err)
		}
		w.expect("web", Switched, "")
	})
}
