package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

// watchRounds watches hosts that report these rounds, one state for each host, and is interrupted
// after the last.
func watchRounds(env *testEnv, o statusOptions, rounds ...[]health.State) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	hosts := hostsNamed("hsb0", "imac0")
	n := 0
	o.interval = time.Millisecond
	return watchStatus(ctx, env.Env, o, &inventory.Inventory{Branch: "main"}, func(_ context.Context, env *Env) statusRound {
		if n == len(rounds) {
			cancel()
			return statusRound{}
		}
		fmt.Fprintln(env.Err, "fleetctl: cannot read the fleet's branch")
		var round statusRound
		for i, state := range rounds[n] {
			r := hostReport{host: hosts[i], Status: host.Status{Reachable: true, Health: &health.Health{Load: [3]float64{float64(n)}}}}
			r.Judgement = health.Judgement{State: state}
			if state == health.StateBehind {
				r.Judgement.Reason, r.Drift = "2 behind", health.Drift{{Code: health.Behind}}
			}
			round.reports = append(round.reports, r)
		}
		n++
		return round
	})
}

func TestStatusWatchPrintsHostsThatChange(t *testing.T) {
	const current, behind = health.StateCurrent, health.StateBehind
	env := newTestEnv(t)
	err := watchRounds(env, statusOptions{exitCode: true}, []health.State{current, behind}, []health.State{current, behind}, []health.State{behind, behind})
	want := `2026-11-24 12:00:00  hsb0   ✓ current
2026-11-24 12:00:00  imac0  ↓ behind  2 behind
2026-11-24 12:00:00  hsb0   ↓ behind  2 behind
`
	if got := env.out.String(); got != want {
		t.Errorf("standard output is\n%s\nwant\n%s", got, want)
	}
	if got := env.err.String(); strings.Count(got, "\n") != 1 {
		t.Errorf("standard error repeats itself:\n%s", got)
	}
	if exitCodeOf(err) != fleet.ExitDrift {
		t.Errorf("exit code %d, not that of the last round", exitCodeOf(err))
	}
}

func TestStatusWatchPrintsJSONEachTime(t *testing.T) {
	env := newTestEnv(t)
	err := watchRounds(env, statusOptions{output: outputJSON}, []health.State{health.StateCurrent, health.StateBehind}, []health.State{health.StateCurrent, health.StateBehind})
	if n := strings.Count(env.out.String(), "\n"); n != 4 || strings.Count(env.out.String(), `{"host":"hsb0"`) != 2 || err != nil {
		t.Errorf("%d lines, %v:\n%s", n, err, env.out)
	}
}

func TestStatusWatchInterruptedInTheFirstRound(t *testing.T) {
	if err := watchRounds(newTestEnv(t), statusOptions{}); exitCodeOf(err) != fleet.ExitInterrupted {
		t.Errorf("exit code %d", exitCodeOf(err))
	}
}

func TestStatusWatchLeavesTheLastTable(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 100, 24, "trap : INT; fleetctl demo --hosts 2 -- status --watch --interval 1s")
	shown := p.Until("every 1s, last ")
	if !strings.Contains(shown, "hsb1") || !strings.Contains(shown, "of 2 hosts current") {
		t.Errorf("the screen:\n%s", shown)
	}
	p.Keys("C-c")
	shown = p.Until("exit status 0")
	if strings.Contains(shown, "every 1s") || strings.Count(shown, "HOST ") != 1 || !strings.Contains(shown, "of 2 hosts current") {
		t.Errorf("afterwards:\n%s", shown)
	}
}
