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

// Retention limits which records are kept. The newest Keep records always are. Of the others, Prune
// deletes those that are too old, and then the oldest until the total size is within the limit.
type Retention struct {
	Keep int           // number of records
	Age  time.Duration // 0 means no limit
	Size int64         // total size in bytes; 0 means no limit
}

// DefaultRetention is what every new run prunes the records to.
var DefaultRetention = Retention{Keep: 50, Age: 90 * 24 * time.Hour, Size: 1 << 30}

var runIDPattern = regexp.MustCompile(`^\d{8}-\d{6}-[a-z2-7]{4}$`)

// Prune deletes old records and returns the IDs of the runs it deleted, newest first. It keeps the
// records of runs that a process owns, and ignores directories that are not records.
func (s *Store) Prune(keep Retention, now time.Time) ([]string, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	errs := s.sweep()
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
			continue // not a record
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

// remove renames the record before it deletes it, so that a half-deleted record is never mistaken
// for a complete one.
func (r *Record) remove() error {
	journal, err := r.Acquire()
	if err != nil {
		return err
	}
	defer journal.Close()
	gone := filepath.Join(filepath.Dir(r.Dir), "."+r.Run+goneSuffix)
	if err := os.Rename(r.Dir, gone); err != nil {
		return fmt.Errorf("run records: %w", err)
	}
	return os.RemoveAll(gone)
}

// goneSuffix marks a record that is being deleted.
const goneSuffix = ".gone"

// sweep finishes interrupted removals.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") && strings.HasSuffix(entry.Name(), goneSuffix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.Dir, entry.Name())))
		}
	}
	return err
}

// size returns the size of the record's files. It ignores files that disappear meanwhile.
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
