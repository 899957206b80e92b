package localexec

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/markus-barta/nixfleet/sshexec"
)

func newConn(t *testing.T, environ ...string) (c *Conn, dir string) {
	t.Helper()
	dir = t.TempDir()
	c = New("here", dir, append(os.Environ(), environ...))
	t.Cleanup(func() { c.Close() })
	return c, dir
}

func TestRunPassesArgumentsInputOutputAndStatus(t *testing.T) {
	t.Parallel()
	c, dir := newConn(t, "COLOR=blue", "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22", "GIT_DIR=/nonexistent")
	argument := "a 'b' $c\n\xff*"
	var out, errs bytes.Buffer
	status, err := c.Run(t.Context(), sshexec.Command{
		Script: `read -r line
printf '%s|' "$1" "$line" "$(cat)" "$COLOR" "${SSH_CONNECTION-unset}" "${GIT_DIR-unset}" "$(pwd -P)"
if (: >/dev/tty) 2>/dev/null; then echo has a terminal; fi
if (: >&3) 2>/dev/null; then echo has another descriptor; fi
echo problem >&2
exit 7`,
		Args: []string{argument}, Stdin: strings.NewReader("one line\nthe rest"), Stdout: &out, Stderr: &errs,
	})
	real, _ := filepath.EvalSymlinks(dir)
	want := strings.Join([]string{argument, "one line", "the rest", "blue", "unset", "unset", real, ""}, "|")
	if err != nil || status != 7 || out.String() != want || errs.String() != "problem\n" {
		t.Errorf("status %d, %v: %q, %q", status, err, out.String(), errs.String())
	}
	if status, err := c.Run(t.Context(), sshexec.Command{Script: "kill -TERM $$"}); status != 128+15 || err != nil {
		t.Errorf("a script that is killed: status %d, %v", status, err)
	}
}

// TestRunThatIsCanceledHangsUpScript has a script and a child of it hold a pipe open.
func TestRunThatIsCanceledHangsUpScript(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ trap, want string }{
		"the script and its children end": {"", ""},
		"unless they ignore it":           {"trap '' HUP", "finished\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, dir := newConn(t)
			fifo := filepath.Join(dir, "fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			ended := make(chan string, 1)
			go func() {
				text, _ := os.ReadFile(fifo)
				ended <- string(text)
			}()
			ctx, cancel := context.WithCancel(t.Context())
			status, err := c.Run(ctx, sshexec.Command{
				Script: tt.trap + `
exec 4>fifo
(while [ ! -e go ]; do sleep 0.02; done; echo finished >&4) &
echo ready
wait`,
				Stdout: writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }),
			})
			var failure *sshexec.Error
			if !errors.As(err, &failure) || failure.Kind != sshexec.KindStopped {
				t.Errorf("status %d, %v", status, err)
			}
			if tt.want != "" {
				if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := <-ended; got != tt.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestClosedConnRunsNothing(t *testing.T) {
	t.Parallel()
	c, _ := newConn(t)
	started := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		_, err := c.Run(t.Context(), sshexec.Command{Script: "echo; sleep 60", Stdout: writerFunc(func(p []byte) (int, error) {
			close(started)
			return len(p), nil
		})})
		result <- err
	}()
	<-started
	c.Close()
	_, again := c.Run(t.Context(), sshexec.Command{Script: "true"})
	for _, err := range []error{<-result, again} {
		var failure *sshexec.Error
		if !errors.As(err, &failure) || failure.Kind != sshexec.KindLost {
			t.Error(err)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
