package engine

import (
	"context"
	"time"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// signal is a word from the operator to a job. signalConfirm needs a login that is newer than the
// activation, so the checks send it. All others go over the connection that follows the job.
// Sending a signal twice is harmless.
type signal string

const (
	signalGo      signal = "go"      // activate
	signalPresent signal = "present" // the operator is here, and is trying to confirm
	signalConfirm signal = "confirm" // a new login works
	signalBack    signal = "back"    // no new login works: go back now
	signalCancel  signal = "cancel"  // do not activate
	signalPath    signal = "path"    // the configuration is in the store; its value is the name
)

// signals sends a host's job one signal at a time, next to the session that follows the job, and
// remembers what the job has heard.
type signals struct {
	job       string          // ID of the job
	limit     time.Duration   // for an answer
	path      string          // value of signalPath, once it is known
	delivered map[signal]bool // signals that the job has answered

	sending signal // being sent, or ""
	cancel  context.CancelFunc
	answer  chan remote.Header // gets at most one value, then is closed; nil while nothing is sent
}

// send sends a signal over conn after a delay, until the job has answered or stop is called. It
// does not send a presence that is withdrawn by then.
func (g *signals) send(ctx context.Context, conn host.Conn, s signal, delay time.Duration, withdrawn func() bool) {
	ctx, cancel := context.WithCancel(ctx)
	answer := make(chan remote.Header, 1)
	g.sending, g.cancel, g.answer = s, cancel, answer
	value := ""
	if s == signalPath {
		value = g.path
	}
	go func() {
		defer close(answer)
		if delay > 0 && (!host.Sleep(ctx, delay) || withdrawn()) {
			return
		}
		for n := 0; ; n++ {
			header, err := signalJob(ctx, conn, g.job, s, value, g.limit)
			if err == nil {
				answer <- header
				return
			}
			if !host.Sleep(ctx, host.Backoff(n)) {
				return
			}
		}
	}()
}

// stop stops sending, if a signal is being sent, and waits for its goroutine.
func (g *signals) stop() {
	if g.sending == "" {
		return
	}
	g.cancel()
	for range g.answer {
	}
	g.sending, g.answer = "", nil
}

// signalJob sends a signal once and returns the job's answer, which may take until limit.
func signalJob(ctx context.Context, conn host.Conn, id string, s signal, value string, limit time.Duration) (remote.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return host.Ask(ctx, conn, func(token string) remote.Script {
		if s == signalCancel {
			return remote.Cancel(token, id)
		}
		return remote.Signal(token, id, string(s), value)
	})
}

// handleSignalAnswer handles the job's answer to the signal that was sent. If the job refused it,
// its log says why.
func (w *worker) handleSignalAnswer(h remote.Header) {
	awaiting := w.awaiting()
	s := w.signals.sending
	w.signals.delivered[s] = true
	w.signals.stop()
	switch {
	case s == signalGo && awaiting, s == signalPath && w.clock.step == "":
		// otherwise the log is already past it, and has a deadline of its own
		w.expect("")
	case s == signalCancel && h.Code == "activating":
		w.gate.calledOff = nil
	}
}

// sendDueSignal sends the job the signal that is due. Presence is withdrawn as soon as there is
// something better to say.
func (w *worker) sendDueSignal(ctx context.Context, conn host.Conn) {
	due := w.dueSignal()
	if w.signals.sending == signalPresent && due != signalPresent {
		w.signals.stop()
	}
	if due == "" || w.signals.sending != "" {
		return
	}
	var delay time.Duration
	if due == signalPresent { // most confirmations arrive before the host has to know
		delay = min(2*time.Second, w.confirmTimeout()/4)
	}
	w.signals.send(ctx, conn, due, delay, w.checks.isShort)
}

func (w *worker) dueSignal() signal {
	var due signal
	switch {
	case !w.link.jobSeen || w.log.end != nil:
		return ""
	case (w.awaiting() || w.supplying()) && w.gate.calledOff != nil:
		due = signalCancel
	case w.supplying() && w.signals.path != "":
		due = signalPath
	case w.awaiting() && w.gate.released:
		due = signalGo
	case !w.confirming() || w.checks.hasConfirmed():
		return ""
	case w.checks.failed():
		due = signalBack
	case w.checks.isShort():
		return "" // the host is not to blame: let it decide on its own
	default:
		due = signalPresent
	}
	if w.signals.delivered[due] {
		return ""
	}
	return due
}
