package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// lookEvery is how often a log that is followed is looked at.
const lookEvery = 200 * time.Millisecond

// followLog prints a log as it grows, until the job has ended or nobody fetches any more of it.
func followLog(ctx context.Context, out *bufio.Writer, line func(stream, line string), raw bool, record *record.Record, host string) error {
	log, err := awaitLog(ctx, record, host)
	if err != nil {
		return err
	}
	defer log.Close()
	nonce, err := os.ReadFile(filepath.Join(record.Dir, "hosts", host+".nonce"))
	if err != nil {
		return err
	}
	ended := false
	parser := remote.NewParser(string(bytes.TrimSpace(nonce)), func(it remote.Item) {
		switch it.Kind {
		case remote.Output:
			line("out", it.Text)
		case remote.NoteItem:
			line("note", it.Text)
		case remote.WarnItem:
			line("warn", it.Text)
		case remote.EndItem:
			ended = true
		}
	})
	var to io.Writer = parser
	if raw {
		to = io.MultiWriter(out, parser)
	}
	for {
		living := record.Living() // before the last look: what came in between is not to be missed
		if _, err := io.Copy(to, log); err != nil {
			return err
		}
		if ended || !living {
			parser.Close()
			return out.Flush()
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if !wait(ctx) {
			return nil
		}
	}
}

// awaitLog opens a host's log, which a run that goes on may not have begun yet.
func awaitLog(ctx context.Context, record *record.Record, host string) (io.ReadCloser, error) {
	for {
		living := record.Living()
		log, err := record.Log(host)
		if err == nil || !living || !wait(ctx) {
			return log, err
		}
	}
}

// wait reports whether there is a next look.
func wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(lookEvery):
		return true
	}
}
