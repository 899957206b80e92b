package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/internal/hint"
)

// Store is the directory of all records, one subdirectory per run.
type Store struct {
	Dir string // $XDG_STATE_HOME/fleetctl/runs
}

// List returns all records, newest first.
func (s *Store) List() ([]*Record, error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("run records: %w", err)
	}
	var all []*Record
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			all = append(all, s.At(entry.Name()))
		}
	}
	slices.Reverse(all) // ReadDir sorts by name, and IDs sort by time
	return all, nil
}

// Latest returns the newest run that does not roll back a wave of another run. If a newer record is
// damaged, it returns a [DamagedError], because that may be the one.
func (s *Store) Latest() (*Record, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	for _, record := range all {
		start, err := record.start()
		if err != nil {
			return nil, err
		}
		if start != nil && start.Of == "" {
			return record, nil
		}
	}
	return nil, hint.Errorf("fleetctl deploy starts one", "there are no runs yet in %q", s.Dir)
}

// Rollbacks returns the runs that roll back failed waves of a run, oldest first. If it could not
// read some records, the error has a [DamagedError] for each, and the others are returned.
func (s *Store) Rollbacks(run string) ([]*Record, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	var rollbacks []*Record
	var damaged error
	for _, record := range all {
		// Check older records too, since the clock may have been set back.
		start, err := record.start()
		damaged = errors.Join(damaged, err)
		if start != nil && start.Of == run {
			rollbacks = append(rollbacks, record)
		}
	}
	slices.Reverse(rollbacks)
	return rollbacks, damaged
}

// Open returns the record of a run. The ID may be abbreviated to a prefix, or to its last four
// letters, if only one run matches.
func (s *Store) Open(id string) (*Record, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	var found []*Record
	for _, record := range all {
		switch {
		case record.Run == id:
			return record, nil
		case id != "" && (strings.HasPrefix(record.Run, id) || strings.HasSuffix(record.Run, "-"+id)):
			found = append(found, record)
		}
	}
	switch len(found) {
	case 0:
		return nil, hint.Errorf("fleetctl history lists the runs", "there is no run %q in %q", id, s.Dir)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, record := range found[:min(5, len(found))] {
		ids = append(ids, record.Run)
	}
	return nil, hint.Errorf("give more of the ID", "%q matches %d runs: %s", id, len(found), strings.Join(ids, ", "))
}

// Create creates the record of a new run, owned by this process.
func (s *Store) Create(now time.Time) (*Record, *Journal, error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("run records: %w", err)
	}
	for {
		record := s.At(newRunID(now))
		err := os.Mkdir(record.Dir, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = os.Mkdir(filepath.Join(record.Dir, "hosts"), 0o700)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("run records: %w", err)
		}
		journal, err := record.Acquire()
		if err != nil {
			return nil, nil, err
		}
		return record, journal, nil
	}
}

// At returns the record of a run, which need not exist.
func (s *Store) At(run string) *Record {
	return &Record{Run: run, Dir: filepath.Join(s.Dir, run)}
}
