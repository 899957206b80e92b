package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recordsOf has a record of so many bytes for each of so many days, up to today, of which the first is the oldest.
func recordsOf(t *testing.T, now time.Time, bytes ...int) *Store {
	r := &Store{Dir: t.TempDir()}
	for i, n := range bytes {
		record, owned, err := r.Create(now.AddDate(0, 0, i+1-len(bytes)))
		if err != nil {
			t.Fatal(err)
		}
		owned.Close()
		if err := os.WriteFile(record.LogPath("web"), make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *Store) days(t *testing.T) string {
	all, err := r.List()
	if err != nil {
		t.Fatal(err)
	}
	var days []string
	for _, record := range all {
		days = append(days, record.Run[6:8])
	}
	return strings.Join(days, " ")
}

func TestPruneKeepsTheNewestAndWhatIsYoungAndSmall(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)
	day := 24 * time.Hour
	for _, tt := range []struct {
		name string
		keep Retention
		want string
	}{
		{"nothing asked", Retention{}, "24 23 22 21"},
		{"by age", Retention{Age: 36 * time.Hour}, "24 23"},
		{"by age, but not the newest", Retention{Keep: 3, Age: time.Hour}, "24 23 22"},
		{"by size", Retention{Size: 2500}, "24 23"},
		{"by size, but not the newest", Retention{Keep: 3, Size: 1}, "24 23 22"},
		{"by both", Retention{Age: 50 * time.Hour, Size: 1500}, "24"},
		{"all are young and small", Retention{Age: 90 * day, Size: 1 << 30}, "24 23 22 21"},
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

func TestPruneLeavesALivingRunAndWhatIsNotOursAlone(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)
	r := recordsOf(t, now, 1, 1, 1)
	all, _ := r.List()
	owned, err := all[2].Acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer owned.Close()
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
		t.Errorf("left %v: want the living run, the newest and the notes", entries)
	}
}
