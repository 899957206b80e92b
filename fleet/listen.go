package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// listen reads the session until the job has ended, the session has, or time is up.
func (w *worker) listen(ctx context.Context, conn Conn, s *session) verdict {
	w.deadline.Reset(max(grace, time.Until(w.due)))
	w.mindQuiet()
	defer w.deadline.Stop()
	defer w.quiet.Stop()
	defer w.callBack()
	heard := false
	for {
		checked := w.checked() // before the word is chosen: so their end is not missed
		w.speak(ctx, conn)
		select {
		case m, open := <-s.messages:
			switch {
			case !open:
				return w.sessionEnded(ctx, s, heard)
			case m.header != nil:
				if v, done := w.answered(ctx, *m.header, s); done {
					return v
				}
				heard = m.header.Word == "following"
			default:
				w.receive(m.log)
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
			w.say(w.host.Name, streamWarn, fmt.Sprintf("the build has said nothing for %v", w.host.Timeouts.Quiet))
		case <-w.deadline.C:
			return verdict{over: true, result: w.overdue()}
		case <-ctx.Done():
			return verdict{over: true}
		}
	}
}

// answered takes a session's header. done is true where the session is of no more use.
func (w *worker) answered(ctx context.Context, h remote.Header, s *session) (v verdict, done bool) {
	switch h.Word {
	case "following":
		return w.following(h)
	case "refused":
		if w.heard {
			r := refused(w.step, h, w.host)
			return verdict{over: true, result: w.unknown(r.Code, "the host does not let its job be followed any more: "+r.Reason)}, true
		}
		if !slices.Contains([]string{"sudo-password", "sudo-wrong"}, h.Code) {
			return verdict{over: true, result: refused(Connect, h, w.host)}, true
		}
		return w.askPassword(ctx, h), true
	case "absent":
		if w.heard || w.nonce != "" {
			return verdict{over: true, result: w.unknown(codeVanished, "the job is not on the host any more")}, true
		}
		return verdict{over: true, result: notBegun()}, true
	}
	return verdict{over: true, result: w.unknown(codeProtocol, fmt.Sprintf("the host answered %q, which this fleetctl does not know", clean.Line([]byte(h.Word))))}, true
}

// following: there is a job, and its log comes. Whatever was received before comes only once.
func (w *worker) following(h remote.Header) (verdict, bool) {
	w.openLog(h.Nonce)
	w.skip = w.received() - h.Offset
	if h.Nonce != w.nonce || w.skip < 0 {
		return verdict{over: true, result: w.unknown(codeVanished, "another job has taken the place of this run's on the host")}, true
	}
	if !w.heard {
		w.heard = true
		w.tellOnce(Event{Type: StepFinished, Step: Connect, OK: new(true)})
		if w.step == Connect {
			w.expect("")
		}
	}
	if !w.lost.IsZero() {
		w.lost, w.tries = time.Time{}, 0
		w.tell(Event{Type: FactLearned, Key: FactReconnect, Value: Back})
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
		return verdict{over: true, result: refused(Connect, h, w.host)}
	}
	password, err := w.engine.SudoPassword(ctx, w.host.Name, again)
	if err != nil {
		result := refused(Connect, remote.Header{Code: "sudo-password"}, w.host)
		result.Reason += ": " + clean.Line([]byte(err.Error()))
		return verdict{over: true, result: result}
	}
	w.password = &password
	return verdict{}
}

// patience is how often a host may do what must not go on for ever.
const patience = 3

// sessionEnded: by itself, and too early, or with the connection.
func (w *worker) sessionEnded(ctx context.Context, s *session, heard bool) verdict {
	if w.reader != nil {
		w.reader.flush()
	}
	if s.err != nil {
		return verdict{lost: s.err}
	}
	w.silent++
	switch {
	case w.silent < patience && heard:
		return verdict{lost: errors.New("the session ended before the job did")}
	case w.silent < patience:
		return verdict{}
	case w.heard:
		return verdict{over: true, result: w.unknown(codeNoEnd, "the host does not tell how the job goes on")}
	}
	return verdict{over: true, result: silent(Connect, s.silence())}
}
