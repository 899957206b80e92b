package engine

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
)

func TestRecordReproducesState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b")
		fx.hosts["b"].log = failLog("build", "build", "x")
		fx.run(fleet.Options{})
		seen, recorded := fx.state(), &fleet.State{}
		if err := fx.record().Replay(recorded.Apply); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(seen.Start, recorded.Start) || !reflect.DeepEqual(seen.Summary, recorded.Summary) {
			t.Errorf("seen %+v %+v, recorded %+v %+v", seen.Start, seen.Summary, recorded.Start, recorded.Summary)
		}
		for i, h := range seen.Hosts {
			r := recorded.Hosts[i]
			same := reflect.DeepEqual(h.Result, r.Result) && reflect.DeepEqual(h.Facts, r.Facts) && h.Step == r.Step
			if !same || h.Phase != fleet.Done {
				t.Errorf("seen %+v, recorded %+v", h, r)
			}
		}
		var lines []string
		err := fx.record().Lines("a", func(stream, line string) { lines = append(lines, stream+": "+line) })
		if err != nil || strings.Join(lines, "\n") != fx.lines("a") {
			t.Errorf("lines %q, %v", lines, err)
		}
		if err := fx.record().Lines("c", func(string, string) {}); err == nil || !strings.Contains(err.Error(), `no log of "c"`) {
			t.Errorf("error %v", err)
		}
	})
}

func TestUnwritableLogDoesNotChangeOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.hosts["web"].onDial = func(int) error { time.Sleep(time.Second); return nil }
		_, err := fx.engine.Run(t.Context(), fx.plan(fleet.Options{}), fx.sink(func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Connect {
				os.RemoveAll(filepath.Join(fx.record().Dir, "hosts"))
			}
		}))
		if err == nil || strings.Count(err.Error(), "the log of web is incomplete: ") != 1 {
			t.Errorf("error %v", err)
		}
		fx.expect("web", fleet.Switched, "")
	})
}

func TestRunPrunesOldRecords(t *testing.T) {
	fx := newFixture(t, "web")
	fx.hosts["web"].log = failLog("build", "build", "x")
	old := time.Now().AddDate(-1, 0, 0)
	for i := range record.DefaultRetention.Keep + 5 {
		_, owned, err := fx.engine.Records.Create(old.Add(time.Duration(i) * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		owned.Close()
	}
	fx.run(fleet.Options{})
	if all, _ := fx.engine.Records.List(); len(all) != record.DefaultRetention.Keep {
		t.Errorf("%d records remain", len(all))
	}
}

// TestLongLogIsCutOff checks what is shown and recorded of a log that is longer than the inventory
// allows.
func TestLongLogIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web", "flood")
		for _, h := range fx.inv.Hosts {
			h.MaxLog = 64 << 10
		}
		flood := strings.Repeat("it prints a lot\n", 1<<14) // 256 KiB
		failed := "NONCE step build failed\nNONCE end failed build build text=too bad\n"
		fx.hosts["web"].log = []logPart{{0, "NONCE step build start\n" + flood}, {0, flood + "error: the reason\n" + failed}}
		fx.hosts["flood"].log = nil
		for range 16 {
			fx.hosts["flood"].log = append(fx.hosts["flood"].log, logPart{time.Second, flood})
		}
		fx.run(fleet.Options{})
		fx.expect("web", fleet.Failed, fleet.CodeBuild)
		fx.expect("flood", fleet.Unknown, fleet.CodeExcess)
		for _, name := range []string{"web", "flood"} {
			lines := strings.Split(fx.lines(name), "\n")
			if len(lines) > 8000 || !strings.HasPrefix(lines[len(lines)-mutedLines-1], "note: ") {
				t.Errorf("%s: %d lines, of which one is %q", name, len(lines), lines[len(lines)-mutedLines-1])
			}
		}
		var recorded []string
		if err := fx.record().Lines("web", func(_, line string) { recorded = append(recorded, line) }); err != nil {
			t.Fatal(err)
		}
		if last := recorded[len(recorded)-1]; last != "error: the reason" || len(recorded) > 8000 {
			t.Errorf("%d lines are recorded, the last one is %q", len(recorded), last)
		}
	})
}
