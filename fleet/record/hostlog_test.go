package record

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// writeLog receives a log in parts, and closes it.
func writeLog(t *testing.T, l *HostLog, text []byte) {
	t.Helper()
	for len(text) > 0 {
		n := min(len(text), 1000)
		if err := l.Append(text[:n]); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func numberedLines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.Bytes()
}

func TestLongLogKeepsStartAndEnd(t *testing.T) {
	const limit = 128 << 10
	s := &Store{Dir: t.TempDir()}
	record, journal, err := s.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	for name, lines := range map[string]int{"short": 100, "a little too long": 11000, "long": 200_000} {
		log, err := journal.CreateLog("web", "NONCE", limit)
		if err != nil {
			t.Fatal(err)
		}
		text := numberedLines(lines)
		writeLog(t, log, text)
		size := int64(0)
		for _, path := range []string{record.LogPath("web"), record.endPath("web")} {
			if info, err := os.Stat(path); err == nil {
				size += info.Size()
			}
		}
		if size > limit+endSize+100 {
			t.Errorf("%s: %d bytes on disk", name, size)
		}
		var got []string
		if err := record.Lines("web", func(stream, line string) { got = append(got, stream+" "+line) }); err != nil {
			t.Fatal(err)
		}
		if got[0] != "out line 0" || got[len(got)-1] != fmt.Sprintf("out line %d", lines-1) {
			t.Errorf("%s: from %q to %q", name, got[0], got[len(got)-1])
		}
		note := ""
		for _, line := range got {
			if strings.HasPrefix(line, "note ") {
				note += line
			}
		}
		if log.Omitted() == 0 {
			raw, err := record.Log("web")
			if err != nil {
				t.Fatal(err)
			}
			whole, _ := io.ReadAll(raw)
			raw.Close()
			if note != "" || !bytes.Equal(whole, text) {
				t.Errorf("%s: note %q, %d bytes of %d", name, note, len(whole), len(text))
			}
		} else if want := fmt.Sprintf("note %d bytes of output are left out here", int64(len(text))-limit+endSize-int64(len(log.end))); !strings.HasPrefix(note, want) {
			t.Errorf("%s: %q, want %q", name, note, want)
		}
	}
}

func TestResumedLongLogIsReceivedAgainFromItsFirstPart(t *testing.T) {
	const limit = 128 << 10
	s := &Store{Dir: t.TempDir()}
	record, journal, err := s.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	log, err := journal.CreateLog("web", "NONCE", limit)
	if err != nil {
		t.Fatal(err)
	}
	text := numberedLines(100_000)
	writeLog(t, log, text[:len(text)/2])
	info, err := os.Stat(record.LogPath("web"))
	if err != nil {
		t.Fatal(err)
	}
	log, err = journal.ResumeLog("web", info.Size(), limit)
	if err != nil || log.Size != limit-endSize {
		t.Fatalf("%d bytes, %v", log.Size, err)
	}
	last := ""
	lastLine := func() string {
		if err := record.Lines("web", func(_, line string) { last = line }); err != nil {
			t.Error(err)
		}
		return last
	}
	before := lastLine()
	if err := log.Close(); err != nil || lastLine() != before { // the host was not reached
		t.Errorf("%v, the last line is %q instead of %q", err, last, before)
	}
	if log, err = journal.ResumeLog("web", info.Size(), limit); err != nil {
		t.Fatal(err)
	}
	writeLog(t, log, text[log.Size:])
	if lastLine() != "line 99999" {
		t.Errorf("the last line is %q", last)
	}
	// With a higher limit, there is no end anymore.
	if log, err = journal.ResumeLog("web", info.Size(), 2<<20); err != nil {
		t.Fatal(err)
	}
	writeLog(t, log, text[log.Size:])
	if end, err := record.LogEnd("web"); err != nil || end != nil || lastLine() != "line 99999" {
		t.Errorf("the end has %d bytes, %v; the last line is %q", len(end), err, last)
	}
}
