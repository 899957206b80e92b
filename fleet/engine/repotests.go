package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

// test is the gate that the repository has for its hosts: it returns what is wrong with this one by that, if anything is. A connection
// that is lost over it says nothing of the host, but where it always is.
func (w *worker) test(ctx context.Context) (wrong *problem, lost error) {
	var tests []host.Test
	conn, err := w.engine.Dialer.Dial(ctx, w.host)
	away := err != nil && host.IsOffline(err)
	if err == nil {
		defer conn.Close()
		tests, err = host.RunTestsOver(ctx, conn, host.CheckoutOf(w.remote, w.host), w.host)
	}
	var failed []string
	for _, t := range tests {
		if t.Exit == 0 {
			w.say(w.host.Name, fleet.StreamNote, fmt.Sprintf("the test %s passed in %d s", t.Name, t.Seconds))
			continue
		}
		for _, line := range t.Output {
			w.say(w.host.Name, fleet.StreamOut, line)
		}
		w.say(w.host.Name, fleet.StreamWarn, fmt.Sprintf("the test %s failed: exit status %d", t.Name, t.Exit))
		failed = append(failed, t.Name)
	}
	switch {
	case len(failed) > 0:
		return &problem{fleet.CodeTests, "tests failed: " + strings.Join(failed, ", ")}, nil
	case (away || errors.Is(err, host.ErrLost)) && w.untested < patience:
		w.untested++
		return nil, err
	case err != nil:
		return &problem{fleet.CodeTests, "its tests could not be run: " + host.Reason(err, w.host)}, nil
	}
	return nil, nil
}
