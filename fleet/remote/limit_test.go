package remote

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limitLoop runs short commands under a long limit, in a shell that has a trap for TERM, as a job
// does.
const limitLoop = `# limitloop.sh: repeats a limited command.
#
# uses: limit

main() {
  trap : TERM
  n=0
  while [ "$n" -lt 400 ]; do
    n=$((n + 1))
    limit 600 true
  done
}
`

func TestLimitDoesNotOutlastItsCommand(t *testing.T) {
	for _, shell := range []string{"sh", "bash"} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip("needs " + shell)
			}
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, shell)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			cmd.Stdin = strings.NewReader(composeText(limitLoop, "").text)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v: %s", err, out)
			}
			// A process that was killed stays in the group until init has reaped it.
			for !errors.Is(syscall.Kill(-cmd.Process.Pid, 0), syscall.ESRCH) {
				if ctx.Err() != nil {
					t.Fatal("it left processes behind")
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}
