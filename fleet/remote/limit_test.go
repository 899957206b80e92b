package remote

import (
	"context"
	"errors"
	"fmt"
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

// TestNixMessagesAreBounded reads progress messages of a host that invents activities, types and
// figures.
func TestNixMessagesAreBounded(t *testing.T) {
	const most = "18446744073709551615"
	var last NixProgress
	p := NewParser("N", func(it Item) {
		if it.Kind == Progress {
			last = it.Progress
		}
	})
	long := strings.Repeat("x", 10_000)
	for i := range 1000 {
		fmt.Fprintf(p, "@nix {\"action\":\"start\",\"id\":%d,\"type\":104}\n", i)
		fmt.Fprintf(p, "@nix {\"action\":\"result\",\"id\":%d,\"type\":105,\"fields\":[%s,%s]}\n", i, most, most)
		fmt.Fprintf(p, "@nix {\"action\":\"result\",\"id\":%d,\"type\":106,\"fields\":[%d,%s]}\n", i, 1000+i, most)
		fmt.Fprintf(p, "@nix {\"action\":\"start\",\"id\":%d,\"type\":%d}\n@nix {\"action\":\"stop\",\"id\":%[1]d}\n", 2000+i, -i)
		fmt.Fprintf(p, "@nix {\"action\":\"start\",\"id\":%d,\"type\":105,\"fields\":[\"/nix/store/h-%s\"]}\n", 4000+i, long)
	}
	if last.Builds != 1000*maxNumber || last.BuildsExpected != last.Builds || len(last.Building) > maxName {
		t.Errorf("%+v", last)
	}
	if n := len(p.nix.sums); n > maxKind+1 {
		t.Errorf("%d sums", n)
	}
}
