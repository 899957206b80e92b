package cli

import (
	"os"
	"syscall"
	"testing"
)

func TestOneTerminationEndsRun(t *testing.T) {
	for _, tt := range []struct {
		name    string
		signals []os.Signal
		stops   int // how often it stops starting hosts
	}{
		{"SIGTERM", []os.Signal{syscall.SIGTERM}, 0},
		{"SIGHUP", []os.Signal{syscall.SIGHUP}, 0},
		{"SIGQUIT", []os.Signal{syscall.SIGQUIT}, 0},
		{"ctrl-c twice", []os.Signal{os.Interrupt, os.Interrupt}, 1},
		{"ctrl-c, then SIGTERM", []os.Signal{os.Interrupt, syscall.SIGTERM}, 1},
	} {
		i := newInterrupts()
		stops := 0
		ctx := i.watch(t.Context(), func() { stops++ })
		for _, s := range tt.signals {
			i.signals <- s
		}
		<-ctx.Done()
		i.close()
		if stops != tt.stops {
			t.Errorf("%s: stopped starting hosts %d times", tt.name, stops)
		}
	}
}
