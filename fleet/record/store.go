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

// Records keeps what runs did, a directory a run.
type Store struct {
	Dir string // $XDG_STATE_HOME/fleetctl/runs
}

// List returns all records, the newest first.
func (r *Store) List() ([]*Record, error) {
	entries, err := os.ReadDir(r.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("run records: %w", err)
	}
	var all []*Record
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			all = append(all, r.At(entry.Name()))
		}
	}
	slices.Reverse(all) // ReadDir sorts by name, and ids sort by time
	return all, nil
}

// Latest returns the newest run that was begun for its own sake: not one that takes hosts of another back.
func (r *Store) Latest() (*Record, error) {
	all, err := r.List()
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
	return nil, hint.Errorf("fleetctl deploy starts one", "there are no runs yet in %q", r.Dir)
}

// partsOf returns the runs that take hosts of a run back, the oldest first.
func (r *Store) PartsOf(run string) ([]*Record, error) {
	all, err := r.List()
	if err != nil {
		return nil, err
	}
	var parts []*Record
	for _, record := range all {
		// One may bear an older date, where the clock was set back.
		start, err := record.start()
		if err != nil {
			return nil, err
		}
		if start != nil && start.Of == run {
			parts = append(parts, record)
		}
	}
	slices.Reverse(parts)
	return parts, nil
}

// Open returns the run of that id. A beginning of the id will do, or its last four letters, where only one run is meant.
func (r *Store) Open(id string) (*Record, error) {
	all, err := r.List()
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
		return nil, hint.Errorf("fleetctl history lists the runs", "there is no run %q in %q", id, r.Dir)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, record := range found[:min(5, len(found))] {
		ids = append(ids, record.Run)
	}
	return nil, hint.Errorf("give more of the ID", "%q matches %d runs: %s", id, len(found), strings.Join(ids, ", "))
}

// create begins the record of a new run, owned by this process.
func (r *Store) Create(now time.Time) (*Record, *Journal, error) {
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("run records: %w", err)
	}
	for {
		record := r.At(NewRunID(now))
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
		owned, err := record.Acquire()
		if err != nil {
			return nil, nil, err
		}
		return record, owned, nil
	}
}

func (r *Store) At(run string) *Record {
	return &Record{Run: run, Dir: filepath.Join(r.Dir, run)}
}
