package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// errOwned: another process is at work on the run.
var errOwned = errors.New("another process owns the run")

// journal is the owner's side of a [Record]: it alone writes.
type journal struct {
	record *Record
	lock   *os.File
	events *os.File // nil until the first event
	dirty  bool     // written, and not synced yet
}

// own makes this process the run's owner. The lock goes with the process, however that ends.
func (r *Record) own() (*journal, error) {
	lock, err := os.OpenFile(filepath.Join(r.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		lock.Close()
		return nil, errOwned
	case err != nil:
		lock.Close()
		return nil, fmt.Errorf("%s: %w", lock.Name(), err)
	}
	return &journal{record: r, lock: lock}, nil
}

// append writes an event, unless it is one that a record leaves out. It is safe from the end of this process at once, from the
// end of the machine after sync.
func (j *journal) append(ev Event) error {
	if ev.Type == LogLine || ev.Type == ProgressMade {
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
	j.dirty = j.dirty || ev.Type != FactLearned
	_, err = j.events.Write(append(line, '\n'))
	return err
}

// open cuts a torn last line off: what is appended must not become part of it.
func (j *journal) open() error {
	whole := tail{path: j.record.events()}
	if err := whole.read(func([]byte) error { return nil }); err != nil {
		return err
	}
	f, err := os.OpenFile(j.record.events(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	j.events = f
	return f.Truncate(whole.offset)
}

func (j *journal) sync() error {
	if !j.dirty {
		return nil
	}
	j.dirty = false
	return j.events.Sync()
}

func (j *journal) close() error {
	var err error
	if j.events != nil {
		err = errors.Join(j.sync(), j.events.Close())
	}
	return errors.Join(err, j.lock.Close())
}

// hostLog is the local copy of a host's log, as it grows.
type hostLog struct {
	file   *os.File
	size   int64 // what was received: the offset to ask for next
	broken bool  // the file is not all of that, and stays the true beginning that it is
}

// append returns an error once.
func (l *hostLog) append(b []byte) error {
	l.size += int64(len(b))
	if l.broken {
		return nil
	}
	_, err := l.file.Write(b)
	l.broken = err != nil
	return err
}

func (l *hostLog) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// beginLog makes ready for a log's first byte. The nonce comes before it: without one, the log means nothing.
func (j *journal) beginLog(host, nonce string) (*hostLog, error) {
	if err := os.WriteFile(j.record.noncePath(host), []byte(nonce+"\n"), 0o600); err != nil {
		return &hostLog{broken: true}, err
	}
	f, err := os.OpenFile(j.record.log(host), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	return &hostLog{file: f, broken: err != nil}, err
}

// resumeLog makes ready for what follows the bytes of a log that were read.
func (j *journal) resumeLog(host string, read int64) (*hostLog, error) {
	f, err := os.OpenFile(j.record.log(host), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && info.Size() != read {
			err = fmt.Errorf("%s was written to by somebody else", f.Name())
		}
	}
	return &hostLog{file: f, size: read, broken: err != nil}, err
}
