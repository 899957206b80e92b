package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// work is what an engine does of a run: begin it, or attach to it.
type work func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error)

// follow shows a run to its end, and turns how it ended into an exit code.
func (v *view) follow(ctx context.Context, env *Env, hosts []*inventory.Host, do work) error {
	signals := newInterrupts()
	defer signals.close()
	show := v.printer(env, hosts, signals.press)

	engine, pool := newEngine(env, show)
	defer pool.Close()
	var run atomic.Value // the run's id, for whoever is told how to come back to it
	run.Store("")
	ctx = signals.watch(ctx, func() {
		engine.Stop()
		show.Note("stopping: no more hosts are started, and those at work go on to their end")
		what, how := env.afterwards(run.Load().(string))
		show.Note(strings.Join(someOf("ctrl-c again leaves at once: "+what, how), "; "))
	})

	var state fleet.State
	summary, err := do(ctx, engine, func(ev fleet.Event) {
		run.CompareAndSwap("", ev.Run)
		state.Apply(ev)
		show.Event(ev)
	})
	if closed := show.Close(); err == nil {
		err = closed
	}
	if state.Summary != nil && v.output == outputText {
		printSummary(env, colorsOf(hosts), &state)
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil && state.Run == "":
		return exit(fleet.ExitInterrupted, errors.New("left before the run began"))
	case ctx.Err() != nil:
		what, how := env.afterwards(state.Run)
		return exit(fleet.ExitInterrupted, &hintedError{err: errors.New("left; " + what), hint: how})
	case state.Summary == nil:
		what, how := env.afterwards(state.Run)
		fmt.Fprintln(env.Err, strings.Join(someOf("every job has begun; "+what, how), "; "))
		return exit(summary.ExitCode, nil)
	}
	return exit(summary.ExitCode, nil)
}

// afterwards says what becomes of a run's jobs once fleetctl has left, and how to see them again.
func (env *Env) afterwards(run string) (what, how string) {
	const passing = "the jobs end with the demo, whose hosts they are on"
	switch {
	case !env.Passing:
		return "the jobs on hosts go on", fmt.Sprintf("fleetctl attach %s shows them again, fleetctl cancel %s ends them", run, run)
	case env.Kept == "":
		return passing, ""
	}
	return passing, fmt.Sprintf("fleetctl demo --dir %s -- attach %s tells what became of them", env.Kept, run)
}
