package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// interrupts gives ctrl-c its two meanings during a run: the first stops starting hosts, the second
// leaves immediately. So do SIGHUP, which means that the terminal is gone, SIGTERM, which programs
// such as timeout(1) and CI runners send once, and SIGQUIT, which would otherwise leave the
// terminal in raw mode.
type interrupts struct {
	signals chan os.Signal
	pressed atomic.Bool
	quit    chan struct{}
	watcher sync.WaitGroup
}

// newInterrupts starts to catch the signals. They queue up until watch is called. The caller must
// call close.
func newInterrupts() *interrupts {
	i := &interrupts{signals: make(chan os.Signal, 4), quit: make(chan struct{})}
	signal.Notify(i.signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	return i
}

// watch calls first on the first interrupt and cancels the context that it returns on the second.
func (i *interrupts) watch(ctx context.Context, first func()) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	i.watcher.Go(func() {
		defer cancel()
		defer signal.Stop(i.signals) // one more ctrl-c ends the process
		for {
			select {
			case <-i.quit:
				return
			case s := <-i.signals:
				if i.pressed.Swap(true) || s != os.Interrupt {
					return
				}
				first()
			}
		}
	})
	return ctx
}

// press acts as ctrl-c, for a terminal in raw mode, which sends it as a key and not as a signal.
func (i *interrupts) press() {
	select {
	case i.signals <- os.Interrupt:
	default: // more than enough are queued
	}
}

// close stops catching the signals and cancels the context that watch returned.
func (i *interrupts) close() {
	signal.Stop(i.signals)
	close(i.quit)
	i.watcher.Wait()
}

// untilInterrupted returns a context that the first ctrl-c cancels, for commands that start no run.
func untilInterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}
