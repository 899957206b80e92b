package engine

import "github.com/markus-barta/nixfleet/fleet"

// gate is where a built host waits until its wave's turn.
type gate struct {
	released  bool          // the host may activate
	calledOff *fleet.Result // it must not, and this is its result
}

// decided reports whether the host is about to be told to activate, or not to.
func (g *gate) decided() bool { return g.released || g.calledOff != nil }

// atGate returns the channel that lets the host through, or nil if it is not at the gate.
func (w *worker) atGate() <-chan *fleet.Result {
	if !w.awaiting() || w.gate.decided() {
		return nil
	}
	if len(w.task.gate) == 0 {
		w.task.yieldSlot()
	}
	return w.task.gate
}

// awaiting reports whether the job waits for permission to activate.
func (w *worker) awaiting() bool { return w.state.Awaiting() && !w.signals.delivered[signalGo] }

// supplying reports whether the job waits for the path of what another host builds.
func (w *worker) supplying() bool { return w.awaitsPath && !w.signals.delivered[signalPath] }

// confirming reports whether the host waits, or will soon wait, for the operator to confirm its
// switch.
func (w *worker) confirming() bool {
	return w.activated() && w.start.Confirm == fleet.ConfirmOperator && w.state.Facts[fleet.FactConfirmed] == ""
}
