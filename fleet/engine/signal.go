package engine

import (
	"context"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// The words that a job is told. To confirm takes a login newer than the activation: the checks say it, all else goes over the
// connection that is there.
const (
	wordGo      = "go"      // activate
	wordPresent = "present" // somebody is there, and would confirm if that could be done
	wordConfirm = "confirm" // a new login works
	wordBack    = "back"    // none does: go back at once
	wordCancel  = "cancel"  // do not activate at all
)

// errand tells the job a word, beside the session that follows it, until it is heard or called back.
type errand struct {
	word   string
	cancel context.CancelFunc
	answer chan remote.Header // takes one, if it is heard; closed at the end
}

func (w *worker) sendErrand(ctx context.Context, conn host.Conn, word string) *errand {
	ctx, cancel := context.WithCancel(ctx)
	e := &errand{word: word, cancel: cancel, answer: make(chan remote.Header, 1)}
	id := host.JobID(w.id, w.host.Name)
	go func() {
		defer close(e.answer)
		if word == wordPresent && !host.Sleep(ctx, w.unhurried()) {
			return
		}
		for n := 0; ; n++ {
			header, err := tellJob(ctx, conn, id, word)
			if err == nil {
				e.answer <- header
				return
			}
			if !host.Sleep(ctx, host.Backoff(n)) {
				return
			}
		}
	}()
	return e
}

// unhurried is how long a confirmation may take before the host is told that somebody is at it: most never have to be told.
func (w *worker) unhurried() time.Duration {
	return min(2*time.Second, w.confirmTimeout()/4)
}

func tellJob(ctx context.Context, conn host.Conn, id, word string) (remote.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, host.Grace)
	defer cancel()
	return host.Ask(ctx, conn, func(token string) remote.Script {
		if word == wordCancel {
			return remote.Cancel(token, id)
		}
		return remote.Tell(token, id, word)
	})
}

// callBack ends the errand, if there is one, and waits for its goroutine.
func (w *worker) callBack() {
	if w.errand == nil {
		return
	}
	w.errand.cancel()
	for range w.errand.answer {
	}
	w.errand = nil
}

// answers is where the errand under way is answered; nil where there is none.
func (w *worker) answers() <-chan remote.Header {
	if w.errand == nil {
		return nil
	}
	return w.errand.answer
}

// answeredErrand takes an errand's answer. Where the job refuses to hear, its log says what became of it.
func (w *worker) answeredErrand(h remote.Header) {
	word := w.errand.word
	w.heardOf[word] = true
	w.callBack()
	switch {
	case word == wordGo:
		w.awaiting = false
		w.expect("")
	case word == wordCancel && h.Code == "activating":
		w.off = nil
	}
}

// speak tells the job the word that is due, one at a time. Presence is nothing to wait for, once there is something better to say.
func (w *worker) speak(ctx context.Context, conn host.Conn) {
	word := w.dueWord()
	if w.errand != nil && w.errand.word == wordPresent && word != wordPresent {
		w.callBack()
	}
	if word != "" && w.errand == nil {
		w.errand = w.sendErrand(ctx, conn, word)
	}
}

func (w *worker) dueWord() string {
	word := ""
	switch {
	case !w.heard || w.end != nil:
		return ""
	case w.awaiting && w.off != nil:
		word = wordCancel
	case w.awaiting && w.released:
		word = wordGo
	case !w.confirming() || w.checks != nil && w.checks.confirmed.Load():
		return ""
	case w.checks != nil && w.checks.ended() && w.checks.wrong != nil:
		word = wordBack
	default:
		word = wordPresent
	}
	if w.heardOf[word] {
		return ""
	}
	return word
}

// confirming reports whether the host waits, or is about to, for the operator to confirm what it was switched to.
func (w *worker) confirming() bool {
	return w.activated && w.start.Confirm == fleet.ConfirmOperator && w.facts[fleet.FactConfirmed] == ""
}

// checked is closed when the checks that are under way end; nil where none are.
func (w *worker) checked() <-chan struct{} {
	if w.checks == nil || w.checks.ended() {
		return nil
	}
	return w.checks.done
}

// atGate is where the part is told how to go on once it is built; nil where it is not there, or has been told.
func (w *worker) atGate() <-chan *fleet.Result {
	if !w.awaiting || w.released || w.off != nil {
		return nil
	}
	if len(w.part.gate) == 0 {
		w.part.rest()
	}
	return w.part.gate
}
