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
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// ItemStream returns the stream of a log line's item, and "" for any other item.
func ItemStream(k remote.ItemKind) string {
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
//	events.jsonl     all events except log lines and progress, one per line, each with a checksum
//	hosts/NAME.log   the log of the host's job, byte for byte, or the first part of it
//	hosts/NAME.end   the end of a log that is too long, with a note about what is left out
//	hosts/NAME@build.*  the same of the job that builds for the host, on another one
//	hosts/NAME.nonce what distinguishes markers in that log from output
//	lock             locked by the process that owns the run
//	cancel           exists once the run was cancelled: waiting hosts do not start
//
// After a power failure any file may be cut off. Readers ignore an incomplete last line of
// events.jsonl.
type Record struct {
	Run string // the run's ID
	Dir string
}

// Events returns a reader that starts at the first event.
func (r *Record) Events() *EventReader {
	return &EventReader{record: r, lines: lineReader{path: r.EventsPath()}}
}

// Replay calls each with every recorded event, in order.
func (r *Record) Replay(each func(fleet.Event)) error { return r.Events().Read(each) }

// State returns the run's state as recorded so far. With a [DamagedError] it is what the events
// before the damage say.
func (r *Record) State() (*fleet.State, error) {
	s := &fleet.State{Run: r.Run}
	return s, r.Replay(s.Apply)
}

// DamagedError means that a record cannot be read, or not to its end. Other records are not
// affected.
type DamagedError struct {
	Run string
	Err error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the record of run %s is damaged: %v", e.Run, e.Err)
}

// Unwrap returns where the damage is.
func (e *DamagedError) Unwrap() error { return e.Err }

// Hint returns what to do about it.
func (e *DamagedError) Hint() string { return "fleetctl history lists the other runs" }

// damaged returns an error about the record as a [DamagedError].
func (r *Record) damaged(err error) error {
	if err == nil {
		return nil
	}
	return &DamagedError{r.Run, err}
}

// start returns how the run started, or nil if that is not recorded yet. It reads only the first
// event.
func (r *Record) start() (*fleet.Start, error) {
	var start *fleet.Start
	errStop := errors.New("stop")
	events := r.Events()
	err := events.lines.read(func(line []byte) error {
		if err := events.decode(line, func(ev fleet.Event) { start = ev.Start }); err != nil {
			return err
		}
		return errStop
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return start, r.damaged(err)
}

// Owned reports whether a process owns the run now.
func (r *Record) Owned() bool {
	journal, err := r.Acquire()
	if err == nil {
		journal.Close()
	}
	return errors.Is(err, ErrOwned)
}

// LogHosts returns the hosts whose logs are in the record.
func (r *Record) LogHosts() []string {
	entries, _ := os.ReadDir(filepath.Join(r.Dir, "hosts"))
	var hosts []string
	for _, entry := range entries {
		if host, ok := strings.CutSuffix(entry.Name(), ".log"); ok && !strings.HasSuffix(host, buildSuffix) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// buildSuffix marks the logs of builds. No name of a host contains it.
const buildSuffix = "@build"

// BuildLog returns the name of the log of a build for a host, on the host that builds for it. All
// functions that take a host, for its log, take that name.
func BuildLog(host string) string { return host + buildSuffix }

// Lines calls each with every line of a host's log: output, notes and warnings, without control
// characters. The stream is one of the Stream constants of package fleet. The lines of a build on
// another host come where the host's job waits for it.
func (r *Record) Lines(host string, each func(stream, line string)) error {
	log, err := r.Log(host)
	if err != nil {
		return err
	}
	defer log.Close()
	var buildErr error
	parser := remote.NewParser(r.Nonce(host), func(it remote.Item) {
		if stream := ItemStream(it.Kind); stream != "" {
			each(stream, it.Text)
		}
		if AwaitsBuild(it) && r.Nonce(BuildLog(host)) != "" {
			buildErr = r.Lines(BuildLog(host), each)
		}
	})
	_, err = io.Copy(parser, log)
	parser.Close()
	return errors.Join(err, buildErr)
}

// AwaitsBuild reports whether a job says in its log that it waits for what another host builds.
func AwaitsBuild(it remote.Item) bool {
	return it.Kind == remote.FactItem && it.Key == fleet.FactAwaiting && it.Text == fleet.AwaitingPath
}

// EventsPath returns the path of the file of events.
func (r *Record) EventsPath() string { return filepath.Join(r.Dir, "events.jsonl") }

// LogPath returns the path of a host's log.
func (r *Record) LogPath(host string) string { return filepath.Join(r.Dir, "hosts", host+".log") }

func (r *Record) endPath(host string) string { return filepath.Join(r.Dir, "hosts", host+".end") }

func (r *Record) noncePath(host string) string { return filepath.Join(r.Dir, "hosts", host+".nonce") }

// Nonce returns the nonce of a host's log, or "" if its log has not been received yet.
func (r *Record) Nonce(host string) string {
	b, _ := os.ReadFile(r.noncePath(host))
	return string(bytes.TrimSpace(b))
}

// RequestCancel asks the run's owner not to start any more hosts.
func (r *Record) RequestCancel() error {
	return os.WriteFile(filepath.Join(r.Dir, "cancel"), nil, 0o600)
}

// CancelRequested reports whether the run was cancelled.
func (r *Record) CancelRequested() bool {
	_, err := os.Stat(filepath.Join(r.Dir, "cancel"))
	return err == nil
}

// EventReader reads the events of a record that may still grow, each event once.
type EventReader struct {
	record *Record
	lines  lineReader
	sum    checksum
}

// Read calls each with every event that was recorded since the last call. It returns a
// [DamagedError] at the first event that is not as it was recorded.
func (e *EventReader) Read(each func(fleet.Event)) error {
	return e.record.damaged(e.lines.read(func(line []byte) error { return e.decode(line, each) }))
}

func (e *EventReader) decode(line []byte, each func(fleet.Event)) error {
	if err := e.sum.verify(line); err != nil {
		return err
	}
	var ev fleet.Event
	if err := json.Unmarshal(line, &ev); err != nil {
		return err
	}
	each(ev)
	return nil
}

// lineReader reads the complete lines of a file that may still grow, each line once.
type lineReader struct {
	path   string
	offset int64 // after the last complete line
	lines  int
}

// read stops at an error of each, and returns it with the path and the line number. A file that
// does not exist has no lines.
func (t *lineReader) read(each func(line []byte) error) error {
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
			return nil // an incomplete line was cut off, or is still being written
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
