package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/markus-barta/nixfleet/fleet"
)

// ErrOwned means that another process owns the run.
var ErrOwned = errors.New("another process owns the run")

// Journal is the writing side of a [Record]. It exists once, in the process that owns the run.
type Journal struct {
	Record *Record
	lock   *os.File
	events *os.File // nil until the first event
	size   int64    // of the file
	sum    checksum // of the last event
	dirty  bool     // written since the last sync
}

// Acquire makes this process the owner of the run, until the journal is closed or the process ends.
// It returns [ErrOwned] if another process is the owner.
func (r *Record) Acquire() (*Journal, error) {
	lock, err := os.OpenFile(filepath.Join(r.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		lock.Close()
		return nil, ErrOwned
	case err != nil:
		lock.Close()
		return nil, fmt.Errorf("%s: %w", lock.Name(), err)
	}
	return &Journal{Record: r, lock: lock}, nil
}

// Append records an event, unless it is a log line or progress. The event survives the end of this
// process; after [Journal.Sync] it also survives a power failure.
func (j *Journal) Append(ev fleet.Event) error {
	if ev.Type == fleet.LogLine || ev.Type == fleet.ProgressMade {
		return nil
	}
	if j.events == nil {
		if err := j.open(); err != nil {
			return err
		}
	}
	line, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	j.dirty = j.dirty || ev.Type != fleet.FactLearned
	before := j.sum
	n, err := j.events.Write(j.sum.add(line))
	if err != nil {
		// A full disk must not leave half an event in front of the next one.
		j.sum = before
		return errors.Join(err, j.events.Truncate(j.size))
	}
	j.size += int64(n)
	return nil
}

// open truncates an incomplete last line, so that the next event does not become part of it.
func (j *Journal) open() error {
	complete := lineReader{path: j.Record.EventsPath()}
	continueSum := func(line []byte) error {
		j.sum.resume(line)
		return nil
	}
	if err := complete.read(continueSum); err != nil {
		return err
	}
	f, err := os.OpenFile(j.Record.EventsPath(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	j.events, j.size = f, complete.offset
	return f.Truncate(complete.offset)
}

// Sync flushes recorded events to disk, unless only facts were recorded since the last time.
func (j *Journal) Sync() error {
	if !j.dirty {
		return nil
	}
	j.dirty = false
	return j.events.Sync()
}

// Close gives up the ownership of the run.
func (j *Journal) Close() error {
	var err error
	if j.events != nil {
		err = errors.Join(j.Sync(), j.events.Close())
	}
	return errors.Join(err, j.lock.Close())
}
