package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/markus-barta/nixfleet/fleet/remote"
)

// HostLog is the local copy of a host's log. Of a log that is longer than its limit it keeps the
// first part and the last, in two files. After an error it stops growing, so that the first file
// remains an unchanged prefix of the log.
type HostLog struct {
	file   *os.File
	Size   int64 // number of bytes received: the offset to ask for next
	broken bool  // the file has fewer bytes than it should

	record  *Record
	host    string
	first   int64  // the most bytes of the first part
	end     []byte // the last bytes received after the first part, up to twice endSize
	resumed bool   // nothing was added yet, and there may be an end that was received before
}

// endSize is how many bytes of the end of a log that is too long are kept.
const endSize = 32 << 10

// newLog returns the log of a host with a limit in bytes. 0 means none.
func (r *Record) newLog(host string, limit int64) *HostLog {
	l := &HostLog{record: r, host: host, first: limit - endSize}
	if limit == 0 {
		l.first = 1<<63 - 1
	}
	return l
}

// Full reports whether the log is longer than its first part may be.
func (l *HostLog) Full() bool { return l.Size > l.first }

// Room returns how many more bytes the first part may have.
func (l *HostLog) Room() int64 { return max(0, l.first-l.Size) }

// Append writes a part of the log. It returns an error only once.
func (l *HostLog) Append(b []byte) error {
	room := min(l.Room(), int64(len(b)))
	l.Size += int64(len(b))
	l.keepEnd(b[room:])
	if l.broken || room == 0 {
		return nil
	}
	_, err := l.file.Write(b[:room])
	if l.resumed {
		// An end that was kept before is a part of what is received now.
		if removeErr := os.Remove(l.record.endPath(l.host)); err == nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = removeErr
		}
		l.resumed = false
	}
	l.broken = err != nil
	return err
}

// keepEnd keeps at least the last endSize bytes.
func (l *HostLog) keepEnd(b []byte) {
	l.end = append(l.end, b[max(0, len(b)-endSize):]...)
	if excess := len(l.end) - endSize; excess > endSize {
		l.end = append(l.end[:0], l.end[excess:]...)
	}
}

// Omitted returns how many bytes of the log are not kept, between its first part and its end.
func (l *HostLog) Omitted() int64 { return max(0, l.Size-l.first-int64(len(l.end))) }

// Close writes the end of a log that is too long, and closes the file.
func (l *HostLog) Close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	if l.broken || len(l.end) == 0 {
		return err
	}
	var text []byte
	if n := l.Omitted(); n > 0 {
		text = fmt.Appendf(nil, "\n%s note %s\n", l.record.Nonce(l.host), remote.OmittedNote(n))
	}
	return errors.Join(err, os.WriteFile(l.record.endPath(l.host), append(text, l.end...), 0o600))
}

// CreateLog creates the copy of a host's log, of at most limit bytes. A limit of 0 means none. It
// stores the nonce first, because a log cannot be parsed without it.
func (j *Journal) CreateLog(host, nonce string, limit int64) (*HostLog, error) {
	l := j.Record.newLog(host, limit)
	err := os.WriteFile(j.Record.noncePath(host), []byte(nonce+"\n"), 0o600)
	if err == nil {
		l.file, err = os.OpenFile(j.Record.LogPath(host), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	}
	l.broken, l.resumed = err != nil, true
	return l, err
}

// ResumeLog opens the copy of a host's log to append to it. size is the number of bytes that the
// caller has read from its first part: the host sends the rest again.
func (j *Journal) ResumeLog(host string, size, limit int64) (*HostLog, error) {
	l := j.Record.newLog(host, limit)
	l.Size = size
	f, err := os.OpenFile(j.Record.LogPath(host), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && info.Size() != size {
			err = fmt.Errorf("%s was written to by another process", f.Name())
		}
	}
	l.first = max(l.first, size) // the limit may have been lowered
	l.file, l.broken, l.resumed = f, err != nil, true
	return l, err
}

// Log opens the part of a host's log that was received, byte for byte. If it is too long, a note
// stands for what is left out.
func (r *Record) Log(host string) (io.ReadCloser, error) {
	f, err := r.LogStart(host)
	if err != nil {
		return nil, err
	}
	return &logFile{Reader: io.MultiReader(f, &endReader{record: r, host: host}), Closer: f}, nil
}

// LogStart opens the first part of a host's log, which may still grow.
func (r *Record) LogStart(host string) (*os.File, error) {
	f, err := os.Open(r.LogPath(host))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("run %s has no log of %q: no job was started there", r.Run, host)
	}
	return f, err
}

// logFile is an open log.
type logFile struct {
	io.Reader
	io.Closer
}

// LogEnd returns the end of a log that is too long, with the note in front of it. It returns
// nothing for any other log, and for one that is still being received.
func (r *Record) LogEnd(host string) ([]byte, error) {
	text, err := os.ReadFile(r.endPath(host))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// endReader reads what [Record.LogEnd] returns when the first part has been read.
type endReader struct {
	record *Record
	host   string
	text   *bytes.Reader // nil before the first Read
}

func (e *endReader) Read(p []byte) (int, error) {
	if e.text == nil {
		text, err := e.record.LogEnd(e.host)
		if err != nil {
			return 0, err
		}
		e.text = bytes.NewReader(text)
	}
	return e.text.Read(p)
}
