package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Retention is how long records are kept. The newest ones always are. Of the others those go that are too old, and then, from the oldest
// on, as many as it takes for all together to be small enough.
type Retention struct {
	Keep int           // the newest
	Age  time.Duration // 0 is any
	Size int64         // bytes of all records together; 0 is any
}

// DefaultRetention is what a new run leaves of those before it.
var DefaultRetention = Retention{Keep: 50, Age: 90 * 24 * time.Hour, Size: 1 << 30}

var runIDPattern = regexp.MustCompile(`^\d{8}-\d{6}-[a-z2-7]{4}$`)

// Prune removes records, and returns the runs whose were, the newest first. Those of runs that somebody follows are left alone.
func (r *Store) Prune(keep Retention, now time.Time) ([]string, error) {
	all, err := r.List()
	if err != nil {
		return nil, err
	}
	errs := r.sweep()
	sizes := make(map[string]int64)
	total := int64(0)
	for _, record := range all {
		sizes[record.Run] = record.size()
		total += sizes[record.Run]
	}
	var removed []string
	for i := len(all) - 1; i >= max(0, keep.Keep); i-- {
		record := all[i]
		began, err := time.ParseInLocation("20060102-150405", record.Run[:min(15, len(record.Run))], now.Location())
		if err != nil || !runIDPattern.MatchString(record.Run) {
			continue // nothing of ours
		}
		old := keep.Age > 0 && now.Sub(began) > keep.Age
		big := keep.Size > 0 && total > keep.Size
		if !old && !big {
			continue
		}
		switch err := record.remove(); {
		case errors.Is(err, ErrOwned):
		case err != nil:
			errs = errors.Join(errs, err)
		default:
			total -= sizes[record.Run]
			removed = append([]string{record.Run}, removed...)
		}
	}
	return removed, errs
}

// remove takes the record out of sight first, at one stroke: a half of one would be taken for a whole.
func (r *Record) remove() error {
	owned, err := r.Acquire()
	if err != nil {
		return err
	}
	defer owned.Close()
	gone := filepath.Join(filepath.Dir(r.Dir), "."+r.Run+goneSuffix)
	if err := os.Rename(r.Dir, gone); err != nil {
		return fmt.Errorf("run records: %w", err)
	}
	return os.RemoveAll(gone)
}

const goneSuffix = ".gone"

// sweep finishes removals that were broken off.
func (r *Store) sweep() error {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") && strings.HasSuffix(entry.Name(), goneSuffix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(r.Dir, entry.Name())))
		}
	}
	return err
}

// size is what the record takes on disk. What goes away meanwhile takes nothing.
func (r *Record) size() int64 {
	total := int64(0)
	_ = filepath.WalkDir(r.Dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}
