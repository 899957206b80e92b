package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

// runRepoTests runs the repository's tests for the host, on the host, and returns the problem that
// they found. lost is not nil if the connection was lost meanwhile, which says nothing about the
// host: the tests have to run again.
func (w *worker) runRepoTests(ctx context.Context) (found *problem, lost error) {
	results := host.TestResults{Host: w.host.Name}
	conn, err := w.engine.Dialer.Dial(ctx, w.host)
	offline := err != nil && host.IsOffline(err)
	if err == nil {
		defer conn.Close()
		results = host.RunTests(ctx, conn, host.CheckoutOf(w.remote, w.host), w.host)
		err = results.Err
	}
	if kept := results.Summary(w.engine.now()); kept != nil {
		if err := w.engine.Records.SaveTests(w.start.Fleet, w.host.Name, *kept); err != nil {
			w.warn(err.Error())
		}
	}
	var failed []string
	for _, t := range results.Tests {
		if t.Exit == 0 {
			w.note(fmt.Sprintf("test %s passed in %d s", t.Name, t.Seconds))
			continue
		}
		for _, line := range t.Output {
			w.logLine(w.host.Name, fleet.StreamOut, line)
		}
		w.warn(fmt.Sprintf("test %s failed with exit status %d", t.Name, t.Exit))
		failed = append(failed, t.Name)
	}
	switch {
	case len(failed) > 0:
		return &problem{fleet.CodeTests, "tests failed: " + strings.Join(failed, ", ")}, nil
	case (offline || errors.Is(err, host.ErrLost)) && w.lostTests < maxRetries:
		w.lostTests++
		return nil, err
	case err != nil:
		return &problem{fleet.CodeTests, "cannot run the repository's tests: " + host.Reason(err, w.host)}, nil
	}
	return nil, nil
}
