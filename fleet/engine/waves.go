package engine

import (
	"context"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// scheduler takes the hosts of a run through it, wave after wave. A host's task has these states:
//
//	waiting ── start ──> building ── built ──> at the gate ── release ──> activating ──> done
//	   │                                            │                                     ^
//	   └───────────────── skip ─────────────────────┴───────────── call off ──────────────┘
//
// There are two ways to get through the first wave's turn to the last one's. Normally, a wave's
// turn starts its tasks with their gates open. If the hosts have started before their turn, because
// all of them build first or because the run is attached to, a wave's turn only releases them from
// the gate.
//
// Whether the next wave follows is up to the policy: a wave is judged after its turn and again
// after it has soaked. A wave that fails halts the run and may be rolled back.
type scheduler struct {
	*run
	accept context.Context // done when no more hosts may start
	waves  []fleet.Wave
	tasks  map[string]*hostTask
	work   func(context.Context, *worker) *fleet.Result // what a started task does

	failureHandled bool // the wave that halted the run was rolled back, if it had to be
}

func (s *scheduler) runWaves(ctx context.Context) {
	turn := s.startTurn
	if s.start.BuildFirst || s.plan == nil {
		s.startAll(ctx)
		turn = s.releaseTurn
	}
	s.failureHandled = s.judgedWaves == len(s.waves)
	for i, wave := range s.waves {
		s.slots.Each(s.accept, wave.Hosts, func(accept context.Context, h *inventory.Host) {
			turn(ctx, accept, s.tasks[h.Name])
		})
		if i < s.judgedWaves {
			continue
		}
		s.policy.endWave(wave.Number)
		s.soak(wave, s.waves[i+1:])
		s.handleFailure(ctx, s.waves[:i+1])
	}
	s.running.Wait() // for hosts that come online late
	s.handleFailure(ctx, s.waves)
}

// startAll starts every host, whatever its wave. They stop at their gates.
func (s *scheduler) startAll(ctx context.Context) {
	s.slots.Each(s.accept, fleet.HostsOf(s.waves), func(accept context.Context, h *inventory.Host) {
		if t := s.tasks[h.Name]; !t.finished() {
			s.startTask(ctx, accept, t)
			t.waitForSlot()
		}
	})
}

// startTurn takes a host's turn if it starts with its wave.
func (s *scheduler) startTurn(ctx, accept context.Context, t *hostTask) {
	t.gate <- nil
	s.startTask(ctx, accept, t)
	t.waitForSlot()
}

// releaseTurn takes a host's turn if it has started before its wave.
func (s *scheduler) releaseTurn(_, accept context.Context, t *hostTask) {
	if t.finished() {
		return
	}
	t.gate <- s.skipResult(accept)
	<-t.done
}

// handleFailure rolls back the wave that halted the run, once its turn has come.
func (s *scheduler) handleFailure(ctx context.Context, turned []fleet.Wave) {
	for _, wave := range turned {
		if s.failureHandled || s.policy.reason() == "" || wave.Number != s.policy.failedWave() {
			continue
		}
		s.failureHandled = true
		for _, h := range wave.Hosts {
			<-s.tasks[h.Name].done // a host that came online late may still be running
		}
		s.rollBack(ctx, s.activated(wave))
	}
}

// activated returns the hosts of a wave on which a new configuration is in place, among those that
// have finished.
func (s *scheduler) activated(wave fleet.Wave) []*inventory.Host {
	var hosts []*inventory.Host
	for _, h := range wave.Hosts {
		if t := s.tasks[h.Name]; t.finished() && t.activated() {
			hosts = append(hosts, h)
		}
	}
	return hosts
}
