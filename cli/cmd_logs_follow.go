package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// logPollInterval is the time between two reads of a log that is being followed.
const logPollInterval = 200 * time.Millisecond

// followLog prints a log as it grows, until the job ends or no process is receiving the log
// anymore. The log of a build on another host comes where the host's job waits for it.
func followLog(ctx context.Context, out *logOutput, rec *record.Record, host string) error {
	log, err := waitForLog(ctx, rec, host)
	if err != nil {
		return err
	}
	defer log.Close()
	nonce, err := os.ReadFile(filepath.Join(rec.Dir, "hosts", host+".nonce"))
	if err != nil {
		return err
	}
	ended, awaitsBuild := false, false
	parser := remote.NewParser(string(bytes.TrimSpace(nonce)), func(it remote.Item) {
		switch it.Kind {
		case remote.Output:
			out.line("out", it.Text)
		case remote.NoteItem:
			out.line("note", it.Text)
		case remote.WarnItem:
			out.line("warn", it.Text)
		case remote.EndItem:
			ended = true
		}
		awaitsBuild = awaitsBuild || record.AwaitsBuild(it) // once: the log has it once
	})
	var dst io.Writer = parser
	if out.raw {
		dst = io.MultiWriter(out, parser)
	}
	for {
		living := rec.Owned() // checked before the read, so that the last read is complete
		if _, err := io.Copy(dst, log); err != nil {
			return err
		}
		if build := record.BuildLog(host); awaitsBuild && rec.Nonce(build) != "" {
			awaitsBuild = false
			if err := followLog(ctx, out, rec, build); err != nil {
				return err
			}
			continue
		}
		if ended || !living {
			end, err := rec.LogEnd(host)
			if err != nil {
				return err
			}
			_, _ = dst.Write(end) // out keeps the error
			parser.Close()
			return out.Flush()
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if !waitForPoll(ctx) {
			return nil
		}
	}
}

// waitForLog opens a host's log. If the run is in progress, it waits until the log exists.
func waitForLog(ctx context.Context, rec *record.Record, host string) (*os.File, error) {
	for {
		living := rec.Owned()
		log, err := rec.LogStart(host)
		if err == nil || !living || !waitForPoll(ctx) {
			return log, err
		}
	}
}

// waitForPoll waits for the next poll. It returns false if ctx is done first.
func waitForPoll(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(logPollInterval):
		return true
	}
}
