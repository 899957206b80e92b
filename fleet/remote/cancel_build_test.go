package remote

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCancelEndsWhatPrecedesBuild cancels a job while it asks nix for its settings, in a command
// substitution. Nothing may follow the end marker.
func TestCancelEndsWhatPrecedesBuild(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	f.write(".nix-profile/bin/nix", `#!/bin/sh
case $* in
  *config*) touch ~/asked; sleep 1 ;;
  *) touch ~/built; while :; do echo "still here"; sleep 0.1; done ;;
esac
`)
	f.sh("chmod +x .nix-profile/bin/nix")
	j := f.job("build", f.git(f.checkout(), "rev-parse", "HEAD"))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cancelled := make(chan struct{})
	go func() {
		defer close(cancelled)
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(f.home, "asked")); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		out, err := f.shell(Cancel("t", j.ID), "022").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "@t cancelled") {
			t.Errorf("the cancel: %q, %v", out, err)
		}
	}()
	end, out := f.launch(j, "022")
	<-cancelled
	log, err := os.ReadFile(filepath.Join(f.home, ".local/state/fleetctl/jobs", j.ID, "log"))
	if _, built := os.Stat(filepath.Join(f.home, "built")); end.Word != "cancelled" || built == nil || err != nil || string(log) != out {
		t.Errorf("the job ended with %+v, built: %v\n%s\nlog\n%s", end, built, out, log)
	}
}
