package engine

import (
	"context"
	"time"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// signal is a word from the operator to a job. signalConfirm needs a login that is newer than the
// activation, so the checks send it. All others go over the connection that follows the job. Sending a
// signal twice is harmless.
type signal string

const (
	signalGo      signal = "go"      // activate
	signalPresent signal = "present" // the operator is here, and is trying to confirm
	signalConfirm signal = "confirm" // a new login works
	signalBack    signal = "back"    // no new login works: go back now
	signalCancel  signal = "cancel"  // do not activate
)

// signalSender sends one signal, next to the session that follows the job, until the job has answered or
// the sender is stopped.
type signalSender struct {
	signal signal
	cancel context.CancelFunc
	answer chan remote.Header // gets at most one value, then is closed
}

func (w *worker) startSignal(ctx context.Context, conn host.Conn, s signal) *signalSender {
	ctx, cancel := context.WithCancel(ctx)
	sender := &signalSender{signal: s, cancel: cancel, answer: make(chan remote.Header, 1)}
	id := host.JobID(w.id, w.host.Name)
	// Most confirmations arrive before the host has to know that the operator is present.
	presentAfter := min(2*time.Second, w.confirmTimeout()/4)
	go func() {
		defer close(sender.answer)
		if s == signalPresent && !host.Sleep(ctx, presentAfter) {
			return
		}
		for n := 0; ; n++ {
			header, err := signalJob(ctx, conn, id, s)
			if err == nil {
				sender.answer <- header
				return
			}
			if !host.Sleep(ctx, host.Backoff(n)) {
				return
			}
		}
	}()
	return sender
}

// signalJob sends a signal once and returns the job's answer.
func signalJob(ctx context.Context, conn host.Conn, id string, s signal) (remote.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, host.Grace)
	defer cancel()
	return host.Ask(ctx, conn, func(token string) remote.Script {
		if s == signalCancel {
			return remote.Cancel(token, id)
		}
		return remote.Tell(token, id, string(s))
	})
}

// stopSignal stops the sender, if there is one, and waits for its goroutine.
func (w *worker) stopSignal() {
	if w.gate.sender == nil {
		return
	}
	w.gate.sender.cancel()
	for range w.gate.sender.answer {
	}
	w.gate.sender = nil
}

// signalAnswer returns the channel of the sender's answer, or nil.
func (w *worker) signalAnswer() <-chan remote.Header {
	if w.gate.sender == nil {
		return nil
	}
	return w.gate.sender.answer
}

// handleSignalAnswer handles a job's answer to a signal. If the job refused it, its log says why.
func (w *worker) handleSignalAnswer(h remote.Header) {
	awaiting := w.awaiting()
	s := w.gate.sender.signal
	w.gate.delivered[s] = true
	w.stopSignal()
	switch {
	case s == signalGo && awaiting: // otherwise the log is already past it, and has a deadline of its own
		w.expect("")
	case s == signalCancel && h.Code == "activating":
		w.gate.calledOff = nil
	}
}

// sendDueSignal sends the job the signal that is due, one at a time. Presence is withdrawn as soon as there
// is something better to say.
func (w *worker) sendDueSignal(ctx context.Context, conn host.Conn) {
	due := w.dueSignal()
	if w.gate.sender != nil && w.gate.sender.signal == signalPresent && due != signalPresent {
		w.stopSignal()
	}
	if due != "" && w.gate.sender == nil {
		w.gate.sender = w.startSignal(ctx, conn, due)
	}
}

func (w *worker) dueSignal() signal {
	var due signal
	switch {
	case !w.link.jobSeen || w.log.end != nil:
		return ""
	case w.awaiting() && w.gate.calledOff != nil:
		due = signalCancel
	case w.awaiting() && w.gate.released:
		due = signalGo
	case !w.confirming() || w.checks != nil && w.checks.confirmed.Load():
		return ""
	case w.checks != nil && w.checks.finished() && w.checks.problem != nil:
		due = signalBack
	default:
		due = signalPresent
	}
	if w.gate.delivered[due] {
		return ""
	}
	return due
}
