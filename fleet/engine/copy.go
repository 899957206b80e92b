package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// copying takes the closure of what was built from its builder to its host, through this machine.
// What a cut leaves on the host stays there, so every attempt asks for what is still missing.
type copying struct {
	*worker  // of the builder
	reader   *logReader
	importer *host.Importer
	fetched  bool // what the host's substituters have was fetched
	moved    bool // the attempt has sent something
	progress fleet.Progress
	since    time.Time // when the first byte was sent
	sent     uint64    // bytes since then
}

// Bounds of what is sent in one session: all names have to fit on one command line.
const (
	batchPaths = 400
	batchNames = 48 << 10 // bytes of all names
)

// copyTo copies what the worker's job has built to the host that it serves. It returns the result
// for that host if it cannot, and nil if it could or ctx is done.
func (w *worker) copyTo(ctx context.Context) *fleet.Result {
	c := &copying{worker: w, reader: newLogReader(w.name(), remote.Token())}
	c.reader.send, c.reader.learn, c.reader.flushAfter = w.sendProgress, func(remote.Item) {}, func(time.Duration) {}
	served := w.serves
	if !served.recorded[eventKey(fleet.Event{Type: fleet.StepStarted, Step: fleet.Copy})] {
		w.send(fleet.Event{Type: fleet.StepStarted, Host: w.name(), Time: time.Now(), Step: fleet.Copy})
	}
	result := c.run(ctx)
	if result != nil && result.Outcome != fleet.Unknown {
		w.send(fleet.Event{Type: fleet.StepFinished, Host: w.name(), Time: time.Now(), Step: fleet.Copy, OK: new(false)})
	}
	return result
}

// sendProgress sends progress, and no lines: Nix has one for each path that no substituter has.
func (w *worker) sendProgress(ev fleet.Event) {
	if ev.Type == fleet.ProgressMade {
		w.send(ev)
	}
}

// run tries to copy until that succeeds, cannot succeed, or has brought nothing for too long.
func (c *copying) run(ctx context.Context) *fleet.Result {
	last, failures := time.Now(), 0
	for n := 0; ; n++ {
		c.moved = false
		result, err := c.attempt(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case result != nil || err == nil:
			return result
		}
		if refused, ok := errors.AsType[*host.ImportError](err); ok {
			return c.failed(refused.Code, clean.Line([]byte(err.Error())))
		}
		if c.moved {
			last, n, failures = time.Now(), 0, 0
		}
		if _, ok := errors.AsType[*host.ScriptError](err); ok {
			if failures++; failures == maxRetries {
				return c.failed(fleet.CodeCopy, host.Reason(err, c.host))
			}
		}
		if time.Since(last) >= c.serves.host.Timeouts.Reconnect || n >= maxCopyTries {
			return c.gaveUp(err)
		}
		c.warn(fmt.Sprintf("the copy was cut (%s); it continues where it was", host.Reason(err, c.host)))
		if !host.Sleep(ctx, host.Backoff(n)) {
			return nil
		}
	}
}

// maxCopyTries is how many attempts in a row may bring nothing.
const maxCopyTries = 30

// gaveUp returns the result of a copy that does not proceed. If that is because a host is out of
// reach, the host's job still waits, and can be continued.
func (c *copying) gaveUp(err error) *fleet.Result {
	if host.IsOffline(err) {
		r := c.unknown(fleet.CodeLost, "the copy from "+c.host.Name+" does not proceed: "+host.Reason(err, c.host))
		r.Step = fleet.Copy
		return r
	}
	return c.failed(fleet.CodeCopy, host.Reason(err, c.host))
}

func (c *copying) failed(code fleet.Code, reason string) *fleet.Result {
	return &fleet.Result{
		Outcome: fleet.Failed, Step: fleet.Copy, Code: code, Hint: code.Hint(),
		Reason: fmt.Sprintf("copying from %s failed: %s", c.host.Name, reason),
	}
}

// attempt copies what is missing, over new connections.
func (c *copying) attempt(ctx context.Context) (*fleet.Result, error) {
	target := c.serves.host
	from, err := c.engine.Dialer.Dial(ctx, c.host)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	to, err := c.engine.Dialer.Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	closure, err := host.ListClosure(ctx, from, c.signals.job)
	if err != nil {
		return nil, err
	}
	job := host.JobID(c.id, target.Name)
	missing, free, err := host.ListMissing(ctx, to, job, closure)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	if !c.fetched {
		for batch := range batches(missing) {
			if err := host.Substitute(ctx, to, job, target.NixArgs(), batch, target.Timeouts.Build, c.reader.parser); err != nil {
				return nil, err
			}
		}
		c.fetched = true
		if missing, free, err = host.ListMissing(ctx, to, job, closure); err != nil || len(missing) == 0 {
			return nil, err
		}
	}
	if need := total(missing); free >= 0 && need > free {
		return c.failed(fleet.CodeDisk, fmt.Sprintf("%d MiB are missing, and /nix/store has %d MiB left", need>>20, free>>20)), nil
	}
	if c.importer == nil {
		importer, result, err := host.FindImporter(ctx, to, target, &c.serves.sudo, c.engine.SudoPassword)
		if importer == nil {
			return result, err
		}
		c.importer = importer
	}
	return nil, c.send(ctx, from, to, closure, missing)
}

// send sends the missing paths of the closure, a number of them at a time.
func (c *copying) send(ctx context.Context, from, to host.Conn, closure, missing []remote.StorePath) error {
	c.since, c.sent = time.Time{}, 0
	c.progress = fleet.Progress{
		CopiesExpected: len(closure), BytesExpected: uint64(total(closure)),
		Copies: len(closure) - len(missing), Bytes: uint64(total(closure) - total(missing)),
	}
	for batch := range batches(missing) {
		ctx, cancel := context.WithCancel(ctx)
		stalled := time.AfterFunc(c.serves.host.Timeouts.Reconnect, cancel)
		err := host.SendPaths(ctx, from, to, batch, c.importer, func(n int) {
			stalled.Reset(c.serves.host.Timeouts.Reconnect)
			c.moved = c.moved || n > 0
			c.measure(n)
			c.progress.Bytes = min(c.progress.Bytes+uint64(n), c.progress.BytesExpected)
			c.report(false)
		})
		stalled.Stop()
		cancel()
		if err != nil {
			return err
		}
		c.progress.Copies += len(batch)
		c.report(true)
	}
	return nil
}

// measure counts n bytes, and sets the rate of the copy.
func (c *copying) measure(n int) {
	if c.since.IsZero() {
		c.since = time.Now()
	}
	c.sent += uint64(n)
	if passed := time.Since(c.since).Seconds(); passed > 0.5 {
		c.progress.Rate = uint64(float64(c.sent) / passed)
	}
}

// report sends the progress, unless it was sent a moment ago.
func (c *copying) report(now bool) {
	if !now && time.Since(c.reader.sent) < progressInterval {
		return
	}
	c.reader.sent = time.Now()
	p := c.progress
	c.worker.send(fleet.Event{Type: fleet.ProgressMade, Host: c.name(), Time: c.reader.sent, Progress: &p})
}

// batches calls yield with the paths, a number of them at a time.
func batches(paths []remote.StorePath) func(yield func([]remote.StorePath) bool) {
	return func(yield func([]remote.StorePath) bool) {
		for len(paths) > 0 {
			n, size := 0, 0
			for n < len(paths) && n < batchPaths && size < batchNames {
				size += len(paths[n].Name)
				n++
			}
			if !yield(paths[:n]) {
				return
			}
			paths = paths[n:]
		}
	}
}

// total returns the size of paths in bytes.
func total(paths []remote.StorePath) (bytes int64) {
	for _, p := range paths {
		bytes += p.Bytes
	}
	return bytes
}
