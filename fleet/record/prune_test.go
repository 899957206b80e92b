package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recordsOf creates records of the given sizes, one per day up to today, oldest first.
func recordsOf(t *testing.T, now time.Time, bytes ...int) *Store {
	r := &Store{Dir: t.TempDir()}
	for i, n := range bytes {
		record, journal, err := r.Create(now.AddDate(0, 0, i+1-len(bytes)))
		if err != nil {
			t.Fatal(err)
		}
		journal.Close()
		if err := os.WriteFile(record.LogPath("web"), make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// days returns the days of the records that exist, newest first.
func (s *Store) days(t *testing.T) string {
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var days []string
	for _, record := range all {
		days = append(days, record.Run[6:8])
	}
	return strings.Join(days, " ")
}

func TestPruneDeletesByAgeAndSize(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)
	day := 24 * time.Hour
	for _, tt := range []struct {
		name string
		keep Retention
		want string
	}{
		{"no limits", Retention{}, "24 23 22 21"},
		{"by age", Retention{Age: 36 * time.Hour}, "24 23"},
		{"by age, keeping the newest", Retention{Keep: 3, Age: time.Hour}, "24 23 22"},
		{"by size", Retention{Size: 2500}, "24 23"},
		{"by size, keeping the newest", Retention{Keep: 3, Size: 1}, "24 23 22"},
		{"by both", Retention{Age: 50 * time.Hour, Size: 1500}, "24"},
		{"within the limits", Retention{Age: 90 * day, Size: 1 << 30}, "24 23 22 21"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := recordsOf(t, now, 1000, 1000, 1000, 1000)
			before := strings.Fields(r.days(t))
			removed, err := r.Prune(tt.keep, now)
			if got := r.days(t); err != nil || got != tt.want || len(removed) != len(before)-len(strings.Fields(got)) {
				t.Errorf("left %s, removed %v, %v; want %s", got, removed, err, tt.want)
			}
		})
	}
}

func TestPruneKeepsOwnedRunsAndForeignFiles(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)
	r := recordsOf(t, now, 1, 1, 1)
	all, _ := r.List()
	journal, err := all[2].Acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	for _, name := range []string{"notes", ".20200101-000000-aaaa.gone"} {
		if err := os.Mkdir(filepath.Join(r.Dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if removed, err := r.Prune(Retention{Age: time.Hour}, now); err != nil || len(removed) != 1 {
		t.Errorf("removed %v, %v", removed, err)
	}
	entries, _ := os.ReadDir(r.Dir)
	if len(entries) != 3 {
		t.Errorf("left %v: want the owned run, the newest and the notes", entries)
	}
}
