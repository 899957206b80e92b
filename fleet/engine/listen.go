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

// listen reads a session until the job or the session ends, or a deadline passes. Meanwhile it
// sends the job the signals that are due.
func (w *worker) listen(ctx context.Context, conn host.Conn, s *host.Session) sessionEnd {
	w.clock.deadline.Reset(max(w.host.Timeouts.Grace, time.Until(w.clock.due)))
	w.clock.watchQuiet(w.host.Timeouts.Quiet)
	defer w.clock.deadline.Stop()
	defer w.clock.quiet.Stop()
	defer w.signals.stop()
	following := false
	for {
		// Taken before a signal is chosen, so that their end is not missed
		checksDone := w.checks.running()
		w.startSupply(ctx)
		w.sendDueSignal(ctx, conn)
		select {
		case m, open := <-s.Messages:
			switch {
			case !open:
				return w.sessionEnded(s, following)
			case m.Header != nil:
				if end, done := w.handleHeader(ctx, *m.Header); done {
					return end
				}
				following = m.Header.Word == "following"
			default:
				w.receive(m.Log)
				if problem := w.log.excess(); problem != "" && w.log.end == nil {
					return finishedWith(w.unknown(fleet.CodeExcess, problem))
				}
			}
			if w.activated() {
				w.startChecks(ctx)
			}
			if w.log.end != nil {
				return w.conclude(ctx)
			}
		case h, ok := <-w.signals.answer:
			if ok {
				w.handleSignalAnswer(h)
			} else {
				w.signals.stop()
			}
		case calledOff := <-w.atGate():
			if calledOff == nil && w.cancelled() {
				// the cancel may not have reached its job
				calledOff = cancelledBefore("it activated")
			}
			w.gate.calledOff, w.gate.released = calledOff, calledOff == nil
			w.expect("") // a host that does not answer must not hold up the others
		case <-w.supply.ended(w.supplied):
			if end, done := w.handleSupply(); done {
				return end
			}
		case <-checksDone:
		case <-w.clock.flush.C:
			w.log.reader.flush()
		case <-w.clock.quiet.C:
			w.warn(fmt.Sprintf("the build has printed nothing for %v", w.host.Timeouts.Quiet))
		case <-w.clock.deadline.C:
			return finishedWith(w.overdue())
		case <-ctx.Done():
			return finishedWith(nil)
		}
	}
}

// handleHeader handles the header of a session. done means that the session is of no more use.
func (w *worker) handleHeader(ctx context.Context, h remote.Header) (end sessionEnd, done bool) {
	switch h.Word {
	case "following":
		return w.handleFollowing(h)
	case "refused":
		if w.link.jobSeen {
			r := host.RefusalResult(w.clock.step, h, w.host)
			return finishedWith(w.unknown(r.Code, "the host no longer lets its job be followed: "+r.Reason)), true
		}
		if w.heldByThisRun(h) {
			return w.awaitLock(ctx, h), true
		}
		if !host.NeedsSudo(h) {
			return finishedWith(host.RefusalResult(fleet.Connect, h, w.host)), true
		}
		if result := w.sudo.Ask(ctx, w.engine.SudoPassword, h, w.host); result != nil {
			return finishedWith(result), true
		}
		return sessionEnd{}, true
	case "absent":
		switch {
		case w.link.jobSeen || w.log.nonce != "":
			return finishedWith(w.unknown(fleet.CodeVanished, "the job is not on the host anymore")), true
		case w.plan == nil:
			return finishedWith(notStarted()), true
		}
	}
	return finishedWith(w.unknown(fleet.CodeProtocol, fmt.Sprintf("unexpected answer %q from the host", clean.Line([]byte(h.Word))))), true
}

// handleFollowing handles the header of a session that prints the job's log. Bytes that were
// received before are skipped.
func (w *worker) handleFollowing(h remote.Header) (end sessionEnd, done bool) {
	if h.Nonce == "" || h.Offset < 0 {
		return finishedWith(w.unknown(fleet.CodeProtocol, "the host does not say how to recognize the markers of its log")), true
	}
	w.logError(w.log.open(w.journal, w.logName(), h.Nonce, w.host.MaxLog, w.useReader(newLogReader(w.name(), h.Nonce))))
	w.log.skip = w.log.received() - h.Offset
	if h.Nonce != w.log.nonce || w.log.skip < 0 {
		return finishedWith(w.unknown(fleet.CodeVanished, "another job has replaced this run's job on the host")), true
	}
	if !w.link.jobSeen {
		w.link.jobSeen = true
		w.emitOnce(fleet.Event{Type: fleet.StepFinished, Step: fleet.Connect, OK: new(true)})
		if w.clock.step == fleet.Connect {
			w.expect("")
		}
	}
	w.reached()
	return finishedWith(nil), w.plan != nil && w.plan.Detach
}

// sessionEnded decides how to continue after a session that ended before its job did. following
// means that the session printed the job's log.
func (w *worker) sessionEnded(s *host.Session, following bool) sessionEnd {
	if w.log.reader != nil {
		w.log.reader.flush()
	}
	if unusable, ok := errors.AsType[*host.AnswerError](s.Err); ok {
		return finishedWith(w.unknown(fleet.Code(unusable.Code()), host.Reason(unusable, w.host)))
	}
	if s.Err != nil && w.link.opening && host.IsSessionRejected(s.Err) {
		return finishedWith(host.DialResult(s.Err, w.host)) // nothing was sent to the host
	}
	if s.Err != nil {
		return sessionEnd{lost: s.Err}
	}
	w.link.emptySessions++
	switch {
	case w.link.emptySessions < maxRetries && following:
		return sessionEnd{lost: errors.New("the session ended before the job did")}
	case w.link.emptySessions < maxRetries:
		return sessionEnd{}
	case w.link.jobSeen:
		return finishedWith(w.unknown(fleet.CodeNoEnd, "the host's sessions end before the job does"))
	}
	return finishedWith(host.ShellResult(fleet.Connect, s.NotRun()))
}
