package record

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRunIDsAreUniqueAndSortByTime(t *testing.T) {
	now := time.Date(2026, 11, 24, 5, 42, 38, 0, time.UTC)
	a, b := newRunID(now), newRunID(now)
	if a == b || len(a) != len("20261124-054238-k3f9") || !strings.HasPrefix(a, "20261124-054238-") {
		t.Errorf("%q, %q", a, b)
	}
	if newRunID(now.Add(time.Second)) < a {
		t.Errorf("%q, %q", a, b)
	}
}

func TestOpenAcceptsUniqueAbbreviation(t *testing.T) {
	dir := t.TempDir()
	for _, run := range []string{"20261124-054238-k3f9", "20261124-070000-aaaa", "20261125-080000-k3f0"} {
		recordOf(t, dir, run, `{}`)
	}
	records := &Store{Dir: dir}
	for id, want := range map[string]string{
		"20261124-054238-k3f9": "20261124-054238-k3f9",
		"20261125":             "20261125-080000-k3f0",
		"k3f9":                 "20261124-054238-k3f9",
		"20261124":             "matches 2 runs: 20261124-070000-aaaa, 20261124-054238-k3f9",
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
	if _, err := (&Store{Dir: filepath.Join(dir, "none")}).Latest(); err == nil || !strings.Contains(err.Error(), "no runs yet") {
		t.Errorf("error %v", err)
	}
}

// recordOf creates a record whose first event has the given start.
func recordOf(t *testing.T, dir, run, start string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, run), 0o700); err != nil {
		t.Fatal(err)
	}
	event := `{"type":"run_started","start":` + start + "}\n"
	if err := os.WriteFile(filepath.Join(dir, run, "events.jsonl"), []byte(event), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLatestSkipsRollbacksAndEmptyRecords(t *testing.T) {
	dir := t.TempDir()
	recordOf(t, dir, "20261124-054238-k3f9", `{}`)
	recordOf(t, dir, "20261124-054300-aaaa", `{"goal":"rollback","of":"20261124-054238-k3f9"}`)
	if err := os.Mkdir(filepath.Join(dir, "20261124-054400-bbbb"), 0o700); err != nil {
		t.Fatal(err)
	}
	if latest, err := (&Store{Dir: dir}).Latest(); err != nil || latest.Run != "20261124-054238-k3f9" {
		t.Errorf("latest %v, %v", latest, err)
	}
}

func TestRollbacksIgnoresBrokenRecords(t *testing.T) {
	records := &Store{Dir: t.TempDir()}
	recordOf(t, records.Dir, "20261124-054238-k3f9", `{}`)
	recordOf(t, records.Dir, "20261124-054300-aaaa", `{"goal":"rollback","of":"20261124-054238-k3f9"}`)
	recordOf(t, records.Dir, "20261123-010203-cccc", `{}`)
	broken, err := os.OpenFile(filepath.Join(records.Dir, "20261123-010203-cccc", "events.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(broken, "not an event")
	broken.Close()
	rollbacks, err := records.Rollbacks("20261124-054238-k3f9")
	if err != nil || len(rollbacks) != 1 || rollbacks[0].Run != "20261124-054300-aaaa" {
		t.Errorf("rollbacks %v, %v", rollbacks, err)
	}
}

func TestRollbacksNamesDamagedRecords(t *testing.T) {
	records := &Store{Dir: t.TempDir()}
	recordOf(t, records.Dir, "20261124-054238-k3f9", `{}`)
	recordOf(t, records.Dir, "20261124-054300-aaaa", `{"goal":"rollback","of":"20261124-054238-k3f9"}`)
	recordOf(t, records.Dir, "20261124-054400-bbbb", `{"goal"`)
	rollbacks, err := records.Rollbacks("20261124-054238-k3f9")
	if len(rollbacks) != 1 || err == nil || !strings.Contains(err.Error(), "run 20261124-054400-bbbb is damaged") {
		t.Errorf("rollbacks %v, %v", rollbacks, err)
	}
}

func TestRecordHasOneOwner(t *testing.T) {
	record, journal, err := (&Store{Dir: t.TempDir()}).Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.Acquire(); err != ErrOwned || !record.Owned() {
		t.Errorf("acquired twice: %v", err)
	}
	journal.Close()
	if record.Owned() {
		t.Error("it is owned after Close")
	}
}

func TestStateReportsLineOfBrokenEvent(t *testing.T) {
	record, journal, _ := (&Store{Dir: t.TempDir()}).Create(time.Now())
	defer journal.Close()
	os.WriteFile(record.EventsPath(), []byte(`{"seq":1,"type":"run_started"}`+"\nnonsense\n"), 0o600)
	if _, err := record.State(); err == nil || !strings.Contains(err.Error(), "events.jsonl:2: ") {
		t.Errorf("error %v", err)
	}
}
