package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// listen reads the session until the job has ended, the session has, or time is up.
func (w *worker) listen(ctx context.Context, conn host.Conn, s *host.Session) verdict {
	w.deadline.Reset(max(host.Grace, time.Until(w.due)))
	w.mindQuiet()
	defer w.deadline.Stop()
	defer w.quiet.Stop()
	defer w.callBack()
	heard := false
	for {
		checked := w.checked() // before the word is chosen: so their end is not missed
		w.speak(ctx, conn)
		select {
		case m, open := <-s.Messages:
			switch {
			case !open:
				return w.sessionEnded(ctx, s, heard)
			case m.Header != nil:
				if v, done := w.answered(ctx, *m.Header, s); done {
					return v
				}
				heard = m.Header.Word == "following"
			default:
				w.receive(m.Log)
			}
			if w.activated {
				w.beginChecks(ctx)
			}
			if w.end != nil {
				return w.conclude(ctx)
			}
		case h, ok := <-w.answers():
			if ok {
				w.answeredErrand(h)
			}
		case off := <-w.atGate():
			if off == nil && w.cancelled() {
				off = cancelledBefore("its activation") // its job may not have been reached
			}
			w.off, w.released = off, off == nil
		case <-checked:
		case <-w.delay.C:
			w.reader.flush()
		case <-w.quiet.C:
			w.say(w.host.Name, fleet.StreamWarn, fmt.Sprintf("the build has said nothing for %v", w.host.Timeouts.Quiet))
		case <-w.deadline.C:
			return verdict{over: true, result: w.overdue()}
		case <-ctx.Done():
			return verdict{over: true}
		}
	}
}

// answered takes a session's header. done is true where the session is of no more use.
func (w *worker) answered(ctx context.Context, h remote.Header, s *host.Session) (v verdict, done bool) {
	switch h.Word {
	case "following":
		return w.following(h)
	case "refused":
		if w.heard {
			r := host.Refused(w.step, h, w.host)
			return verdict{over: true, result: w.unknown(r.Code, "the host does not let its job be followed any more: "+r.Reason)}, true
		}
		if !slices.Contains([]string{"sudo-password", "sudo-wrong"}, h.Code) {
			return verdict{over: true, result: host.Refused(fleet.Connect, h, w.host)}, true
		}
		return w.askPassword(ctx, h), true
	case "absent":
		if w.heard || w.nonce != "" {
			return verdict{over: true, result: w.unknown(fleet.CodeVanished, "the job is not on the host any more")}, true
		}
		return verdict{over: true, result: notBegun()}, true
	}
	return verdict{over: true, result: w.unknown(fleet.CodeProtocol, fmt.Sprintf("the host answered %q, which this fleetctl does not know", clean.Line([]byte(h.Word))))}, true
}

// following: there is a job, and its log comes. Whatever was received before comes only once.
func (w *worker) following(h remote.Header) (verdict, bool) {
	w.openLog(h.Nonce)
	w.skip = w.received() - h.Offset
	if h.Nonce != w.nonce || w.skip < 0 {
		return verdict{over: true, result: w.unknown(fleet.CodeVanished, "another job has taken the place of this run's on the host")}, true
	}
	if !w.heard {
		w.heard = true
		w.tellOnce(fleet.Event{Type: fleet.StepFinished, Step: fleet.Connect, OK: new(true)})
		if w.step == fleet.Connect {
			w.expect("")
		}
	}
	if !w.lost.IsZero() {
		w.lost, w.tries = time.Time{}, 0
		w.tell(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactReconnect, Value: fleet.Back})
	}
	return verdict{over: true}, w.plan != nil && w.plan.Detach
}

// askPassword gets what sudo wants, from the one person who knows it. A wrong password is asked for twice more, and no oftener: hosts lock
// accounts.
func (w *worker) askPassword(ctx context.Context, h remote.Header) verdict {
	const tries = 3
	again := w.password != nil
	if again {
		w.wrong++
	}
	if w.engine.SudoPassword == nil || w.wrong == tries {
		return verdict{over: true, result: host.Refused(fleet.Connect, h, w.host)}
	}
	password, err := w.engine.SudoPassword(ctx, w.host.Name, again)
	if err != nil {
		result := host.Refused(fleet.Connect, remote.Header{Code: "sudo-password"}, w.host)
		result.Reason += ": " + clean.Line([]byte(err.Error()))
		return verdict{over: true, result: result}
	}
	w.password = &password
	return verdict{}
}

// patience is how often a host may do what must not go on for ever.
const patience = 3

// sessionEnded: by itself, and too early, or with the connection.
func (w *worker) sessionEnded(ctx context.Context, s *host.Session, heard bool) verdict {
	if w.reader != nil {
		w.reader.flush()
	}
	if s.Err != nil {
		return verdict{lost: s.Err}
	}
	w.silent++
	switch {
	case w.silent < patience && heard:
		return verdict{lost: errors.New("the session ended before the job did")}
	case w.silent < patience:
		return verdict{}
	case w.heard:
		return verdict{over: true, result: w.unknown(fleet.CodeNoEnd, "the host does not tell how the job goes on")}
	}
	return verdict{over: true, result: host.Silent(fleet.Connect, s.Silence())}
}
