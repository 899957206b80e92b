package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// engineFunc starts a run or attaches to one, passes its events to sink, and returns when it ends.
type engineFunc func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error)

// follow shows a run until it ends. Its error carries the run's exit code.
func (v *view) follow(ctx context.Context, env *Env, hosts []*inventory.Host, run engineFunc) error {
	// A run does not depend on who reads its output, as in `fleetctl deploy --all | head`.
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)
	signals := newInterrupts()
	defer signals.close()
	show := v.printer(env, hosts, signals.press)

	eng, pool := newEngine(env, show)
	defer pool.Close()
	var runID atomic.Value
	runID.Store("")
	ctx = signals.watch(ctx, func() {
		eng.Stop()
		show.Note("stopping: no new hosts will start; running ones will finish")
		status, suggestion := env.jobsAfterExit(runID.Load().(string))
		show.Note("press ctrl-c again to exit now: " + strings.Join(someOf(status, suggestion), "; "))
	})

	var state fleet.State
	summary, err := run(ctx, eng, func(ev fleet.Event) {
		runID.CompareAndSwap("", ev.Run)
		state.Apply(ev)
		show.Event(ev)
	})
	// Then the run has finished, and only its record is incomplete: that is not the hosts' fault.
	unrecorded := err != nil && state.Summary != nil
	if closeErr := show.Close(); err == nil {
		err = closeErr
	}
	switch {
	case v.output != outputText:
	case v.quiet:
		printRows(env, colorsOf(hosts), &state)
	case state.Summary != nil:
		printSummary(env, colorsOf(hosts), &state)
	}
	switch {
	case unrecorded:
		return exit(summary.ExitCode, err)
	case err != nil:
		return err
	case ctx.Err() != nil && state.Run == "":
		return exit(fleet.ExitInterrupted, errors.New("interrupted before the run started"))
	case ctx.Err() != nil:
		status, suggestion := env.jobsAfterExit(state.Run)
		return exit(fleet.ExitInterrupted, hint.Errorf(suggestion, "interrupted; %s", status))
	case state.Summary == nil:
		status, suggestion := env.jobsAfterExit(state.Run)
		fmt.Fprintln(env.Err, "every job has started; "+strings.Join(someOf(status, suggestion), "; "))
	}
	return exit(summary.ExitCode, nil)
}

// jobsAfterExit describes what happens to a run's jobs when fleetctl exits, and how to see them
// again. The suggestion is empty if they cannot be seen again.
func (env *Env) jobsAfterExit(run string) (status, suggestion string) {
	const stopped = "the jobs stop with the demo's hosts"
	switch {
	case !env.Ephemeral:
		return "jobs on the hosts keep running", fmt.Sprintf("fleetctl attach %s shows them, fleetctl cancel %s stops them", run, run)
	case env.KeptIn == "":
		return stopped, ""
	}
	return stopped, fmt.Sprintf("fleetctl demo --dir %s -- attach %s shows the outcome", env.KeptIn, run)
}
