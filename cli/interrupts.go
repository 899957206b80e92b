package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// interrupts gives ctrl-c its two meanings while a run is under way: the first stops starting hosts, the second leaves
// at once. SIGTERM counts as ctrl-c; a terminal that is gone (SIGHUP) leaves at once.
type interrupts struct {
	signals chan os.Signal
	pressed atomic.Bool
	quit    chan struct{}
	watcher sync.WaitGroup
}

// newInterrupts takes the signals over. They wait until somebody watches.
func newInterrupts() *interrupts {
	i := &interrupts{signals: make(chan os.Signal, 4), quit: make(chan struct{})}
	signal.Notify(i.signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return i
}

// watch calls first at the first interrupt, and ends the context it returns at the second.
func (i *interrupts) watch(ctx context.Context, first func()) context.Context {
	ctx, leave := context.WithCancel(ctx)
	i.watcher.Go(func() {
		defer leave()
		defer signal.Stop(i.signals) // once we leave, one more ctrl-c ends the process as it would any other
		for {
			select {
			case <-i.quit:
				return
			case s := <-i.signals:
				if i.pressed.Swap(true) || s == syscall.SIGHUP {
					return
				}
				first()
			}
		}
	})
	return ctx
}

// press is ctrl-c where the terminal sends it as a key.
func (i *interrupts) press() {
	select {
	case i.signals <- os.Interrupt:
	default: // enough are under way
	}
}

// close gives the signals back, and ends the context.
func (i *interrupts) close() {
	signal.Stop(i.signals)
	close(i.quit)
	i.watcher.Wait()
}

// untilInterrupted is for what is no run: the first ctrl-c ends it.
func untilInterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}
