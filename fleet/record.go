package fleet

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

	"github.com/markus-barta/nixfleet/fleet/remote"
)

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
func (r *Record) Replay(each func(Event)) error {
	events := tail{path: r.events()}
	return events.read(func(line []byte) error { return decode(line, each) })
}

// State is the run as recorded so far.
func (r *Record) State() (*State, error) {
	s := &State{Run: r.Run}
	return s, r.Replay(s.Apply)
}

// start is how the run was begun, by its first event alone; nil where there is none yet.
func (r *Record) start() (*Start, error) {
	var start *Start
	enough := errors.New("the first will do")
	events := tail{path: r.events()}
	err := events.read(func(line []byte) error {
		if err := decode(line, func(ev Event) { start = ev.Start }); err != nil {
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
	owned, err := r.own()
	if err == nil {
		owned.close()
	}
	return errors.Is(err, errOwned)
}

// Log opens what was received of a host's log, byte for byte.
func (r *Record) Log(host string) (io.ReadCloser, error) {
	f, err := os.Open(r.log(host))
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
	parser := remote.NewParser(r.nonce(host), func(it remote.Item) {
		if stream := streamOf(it.Kind); stream != "" {
			each(stream, it.Text)
		}
	})
	_, err = io.Copy(parser, log)
	parser.Close()
	return err
}

func (r *Record) events() string            { return filepath.Join(r.Dir, "events.jsonl") }
func (r *Record) log(host string) string    { return filepath.Join(r.Dir, "hosts", host+".log") }
func (r *Record) noncePath(h string) string { return filepath.Join(r.Dir, "hosts", h+".nonce") }

// nonce is "" where the host's job was not heard of yet.
func (r *Record) nonce(host string) string {
	b, _ := os.ReadFile(r.noncePath(host))
	return string(bytes.TrimSpace(b))
}

func (r *Record) askCancel() error {
	return os.WriteFile(filepath.Join(r.Dir, "cancel"), nil, 0o600)
}

func (r *Record) cancelAsked() bool {
	_, err := os.Stat(filepath.Join(r.Dir, "cancel"))
	return err == nil
}

func decode(line []byte, each func(Event)) error {
	var ev Event
	if err := json.Unmarshal(line, &ev); err != nil {
		return err
	}
	each(ev)
	return nil
}

// tail reads the whole lines of a file that grows, each once.
type tail struct {
	path   string
	offset int64 // after the last whole line
	lines  int
}

func (t *tail) read(each func(line []byte) error) error {
	f, err := os.Open(t.path)
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
			return fmt.Errorf("%s:%d: %w", t.path, t.lines, err)
		}
	}
}
