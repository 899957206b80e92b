package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// streamOf returns the stream of an item that is a line, and "" for one that is not.
func StreamOf(k remote.ItemKind) string {
	switch k {
	case remote.Output:
		return fleet.StreamOut
	case remote.NoteItem:
		return fleet.StreamNote
	case remote.WarnItem:
		return fleet.StreamWarn
	}
	return ""
}

// Record is one run on disk:
//
//	events.jsonl     all events but log lines and progress, one a line
//	hosts/NAME.log   the log of the host's job, byte for byte
//	hosts/NAME.nonce what tells that log's markers from its output
//	lock             locked by the process that owns the run
//	cancel           there once somebody cancelled the run: hosts that wait are not begun
//
// It may be cut off anywhere, as by a loss of power: the torn last line of events.jsonl counts for nothing.
type Record struct {
	Run string
	Dir string
}

// Replay gives the recorded events to each, in order.
func (r *Record) Replay(each func(fleet.Event)) error {
	events := LineReader{Path: r.EventsPath()}
	return events.Read(func(line []byte) error { return Decode(line, each) })
}

// State is the run as recorded so far.
func (r *Record) State() (*fleet.State, error) {
	s := &fleet.State{Run: r.Run}
	return s, r.Replay(s.Apply)
}

// start is how the run was begun, by its first event alone; nil where there is none yet.
func (r *Record) start() (*fleet.Start, error) {
	var start *fleet.Start
	enough := errors.New("the first will do")
	events := LineReader{Path: r.EventsPath()}
	err := events.Read(func(line []byte) error {
		if err := Decode(line, func(ev fleet.Event) { start = ev.Start }); err != nil {
			return err
		}
		return enough
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return start, err
}

// Living reports whether a process owns the run now.
func (r *Record) Living() bool {
	owned, err := r.Acquire()
	if err == nil {
		owned.Close()
	}
	return errors.Is(err, ErrOwned)
}

// Log opens what was received of a host's log, byte for byte.
func (r *Record) Log(host string) (io.ReadCloser, error) {
	f, err := os.Open(r.LogPath(host))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("run %s has no log of %q: no job was begun there", r.Run, host)
	}
	return f, err
}

// Lines reads a host's log as a person would: clean, and with the markers as words. stream is as in [Event].
func (r *Record) Lines(host string, each func(stream, line string)) error {
	log, err := r.Log(host)
	if err != nil {
		return err
	}
	defer log.Close()
	parser := remote.NewParser(r.Nonce(host), func(it remote.Item) {
		if stream := StreamOf(it.Kind); stream != "" {
			each(stream, it.Text)
		}
	})
	_, err = io.Copy(parser, log)
	parser.Close()
	return err
}

func (r *Record) EventsPath() string { return filepath.Join(r.Dir, "events.jsonl") }

func (r *Record) LogPath(host string) string { return filepath.Join(r.Dir, "hosts", host+".log") }

func (r *Record) noncePath(h string) string { return filepath.Join(r.Dir, "hosts", h+".nonce") }

// nonce is "" where the host's job was not heard of yet.
func (r *Record) Nonce(host string) string {
	b, _ := os.ReadFile(r.noncePath(host))
	return string(bytes.TrimSpace(b))
}

func (r *Record) RequestCancel() error {
	return os.WriteFile(filepath.Join(r.Dir, "cancel"), nil, 0o600)
}

func (r *Record) CancelRequested() bool {
	_, err := os.Stat(filepath.Join(r.Dir, "cancel"))
	return err == nil
}

func Decode(line []byte, each func(fleet.Event)) error {
	var ev fleet.Event
	if err := json.Unmarshal(line, &ev); err != nil {
		return err
	}
	each(ev)
	return nil
}

// tail reads the whole lines of a file that grows, each once.
type LineReader struct {
	Path   string
	offset int64 // after the last whole line
	lines  int
}

func (t *LineReader) Read(each func(line []byte) error) error {
	f, err := os.Open(t.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(t.offset, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil // and what came is torn, or on its way
		}
		if err != nil {
			return err
		}
		t.offset += int64(len(line))
		t.lines++
		if err := each(line); err != nil {
			return fmt.Errorf("%s:%d: %w", t.Path, t.lines, err)
		}
	}
}
