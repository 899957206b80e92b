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

// errOwned: another process is at work on the run.
var ErrOwned = errors.New("another process owns the run")

// journal is the owner's side of a [Record]: it alone writes.
type Journal struct {
	Record *Record
	lock   *os.File
	events *os.File // nil until the first event
	dirty  bool     // written, and not synced yet
}

// own makes this process the run's owner. The lock goes with the process, however that ends.
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

// append writes an event, unless it is one that a record leaves out. It is safe from the end of this process at once, from the
// end of the machine after sync.
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
	_, err = j.events.Write(append(line, '\n'))
	return err
}

// open cuts a torn last line off: what is appended must not become part of it.
func (j *Journal) open() error {
	whole := LineReader{Path: j.Record.EventsPath()}
	if err := whole.Read(func([]byte) error { return nil }); err != nil {
		return err
	}
	f, err := os.OpenFile(j.Record.EventsPath(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	j.events = f
	return f.Truncate(whole.offset)
}

func (j *Journal) Sync() error {
	if !j.dirty {
		return nil
	}
	j.dirty = false
	return j.events.Sync()
}

func (j *Journal) Close() error {
	var err error
	if j.events != nil {
		err = errors.Join(j.Sync(), j.events.Close())
	}
	return errors.Join(err, j.lock.Close())
}

// hostLog is the local copy of a host's log, as it grows.
type HostLog struct {
	file   *os.File
	Size   int64 // what was received: the offset to ask for next
	broken bool  // the file is not all of that, and stays the true beginning that it is
}

// append returns an error once.
func (l *HostLog) Append(b []byte) error {
	l.Size += int64(len(b))
	if l.broken {
		return nil
	}
	_, err := l.file.Write(b)
	l.broken = err != nil
	return err
}

func (l *HostLog) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// beginLog makes ready for a log's first byte. The nonce comes before it: without one, the log means nothing.
func (j *Journal) CreateLog(host, nonce string) (*HostLog, error) {
	if err := os.WriteFile(j.Record.noncePath(host), []byte(nonce+"\n"), 0o600); err != nil {
		return &HostLog{broken: true}, err
	}
	f, err := os.OpenFile(j.Record.LogPath(host), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	return &HostLog{file: f, broken: err != nil}, err
}

// resumeLog makes ready for what follows the bytes of a log that were read.
func (j *Journal) ResumeLog(host string, read int64) (*HostLog, error) {
	f, err := os.OpenFile(j.Record.LogPath(host), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && info.Size() != read {
			err = fmt.Errorf("%s was written to by somebody else", f.Name())
		}
	}
	return &HostLog{file: f, Size: read, broken: err != nil}, err
}
