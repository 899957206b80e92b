package sshexec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

func TestRunPassesArgumentsStreamsAndStatus(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	exit, out, errs := run(t, c, `echo "$2"; echo "$1" >&2; exit 7`, "it's", "$HOME\n")
	if exit != 7 || out != "$HOME\n\n" || errs != "it's\n" {
		t.Errorf("got %d, %q, %q", exit, out, errs)
	}
}

func TestRunReturnsShellStatusForSignal(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	if exit, _, _ := run(t, c, `kill -TERM $$`); exit != 128+15 {
		t.Errorf("got %d", exit)
	}
}

func TestRunPassesStdinCompletely(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	input := strings.Repeat("a line of input\n", 20000)
	for _, given := range []string{"", "x", input} {
		var out, errs strings.Builder
		exit, err := c.Run(home.ctx(), Command{Script: "echo before >&2; cat", Stdin: strings.NewReader(given), Stdout: &out, Stderr: &errs})
		if err != nil || exit != 0 {
			t.Fatalf("%d, %v", exit, err)
		}
		if out.String() != given || errs.String() != "before\n" {
			t.Errorf("got %d bytes, want %d; stderr %q", out.Len(), len(given), errs.String())
		}
	}
}

func TestRunNeverExecutesStdin(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	var out strings.Builder
	if _, err := c.Run(home.ctx(), Command{Script: "true", Stdin: strings.NewReader("echo run\n"), Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 0 {
		t.Errorf("the shell executed stdin: %q", out.String())
	}
}

func TestRunIsConcurrentOnOneConnection(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			exit, out, _ := run(t, c, `echo "$1"; exit "$1"`, fmt.Sprint(i))
			if exit != i || out != fmt.Sprintln(i) {
				t.Errorf("script %d: %d %q", i, exit, out)
			}
		})
	}
	wg.Wait()
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
}

func TestRunDiscardedStderrDoesNotBlockStdout(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, sshtest.Config{Handler: sshtest.FloodStderr(8<<20, "after\n")})
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	var out strings.Builder
	if _, err := c.Run(home.ctx(), Command{Script: "true", Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if out.String() != "after\n" {
		t.Errorf("got %q", out.String())
	}
}

type failingWriter struct{ room int }

func (f *failingWriter) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestRunFailingWriterDoesNotBlockScript(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, sshtest.Config{Handler: sshtest.LongLine(8 << 20)})
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	if exit, err := c.Run(home.ctx(), Command{Script: "true", Stdout: &failingWriter{room: 100}}); exit != 0 || err != nil {
		t.Errorf("%d, %v", exit, err)
	}
}

func TestRunPreserves100MegabyteLinesAndInvalidText(t *testing.T) {
	t.Parallel()
	long := sshtest.Start(t, sshtest.Config{Handler: sshtest.LongLine(100 << 20)})
	hostile := sshtest.Start(t, sshtest.Config{Handler: sshtest.Print(sshtest.HostileText, sshtest.HostileText, 0)})
	home := newTestHome(t).trust(long, hostile)
	p := home.pool()
	var n counter
	if _, err := home.dial(p, targetOf(long)).Run(home.ctx(), Command{Script: "true", Stdout: &n}); err != nil || n != 100<<20+1 {
		t.Errorf("%d bytes, %v", n, err)
	}
	if _, out, errs := run(t, home.dial(p, targetOf(hostile)), "true"); out != sshtest.HostileText || errs != sshtest.HostileText {
		t.Errorf("got %q, %q", out, errs)
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func TestRunWithoutExitStatusIsLost(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, sshtest.Config{Handler: func(*sshtest.Session) int { return sshtest.NoStatus }})
	home := newTestHome(t).trust(s)
	_, err := home.dial(home.pool(), targetOf(s)).Run(home.ctx(), Command{Script: "true"})
	wantError(t, err, KindLost, "web: session", "without an exit status")
}

func TestRunOnCutConnectionIsLost(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, sshtest.Config{
		Handler: sshtest.LongLine(1 << 30),
		Fault:   func(int) sshtest.Fault { return sshtest.Fault{CutOut: 300_000} },
	})
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	_, err := c.Run(home.ctx(), Command{Script: "true"})
	if e := wantError(t, err, KindLost, "web: session", "connection was lost"); !e.Offline() {
		t.Error("Offline() = false, want true")
	}
	select {
	case <-c.Done():
	case <-time.After(5 * time.Second):
		t.Error("Done is not closed")
	}
}

func TestRunReturnsWhenContextIsDone(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	ctx, cancel := context.WithTimeout(home.ctx(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := c.Run(ctx, Command{Script: "sleep 5"})
	wantError(t, err, KindTimeout)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if exit, _, _ := run(t, c, "exit 3"); exit != 3 {
		t.Error("the connection is not usable afterwards")
	}
}

func TestRunWritesNothingAfterReturning(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, sshtest.Config{Handler: sshtest.LongLine(1 << 30)})
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	ctx, cancel := context.WithTimeout(home.ctx(), 50*time.Millisecond)
	defer cancel()
	var out bytes.Buffer // a late write is a data race, too
	_, err := c.Run(ctx, Command{Script: "true", Stdout: &out})
	wantError(t, err, KindTimeout)
	n := out.Len()
	time.Sleep(50 * time.Millisecond)
	if out.Len() != n {
		t.Errorf("%d more bytes written", out.Len()-n)
	}
}

func TestRunOnFrozenConnectionReturnsWhenContextIsDone(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, sshtest.Config{Handler: sshtest.Shell{}.Handle, Fault: func(int) sshtest.Fault { return sshtest.Fault{FreezeAfterLogin: true} }})
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	ctx, cancel := context.WithTimeout(home.ctx(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := c.Run(ctx, Command{Script: "true"})
	wantError(t, err, KindTimeout)
	c.Close()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestRunSuggestsMaxSessionsWhenSessionIsRejected(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := sshtest.Start(t, sshtest.Config{MaxSessions: 1, Handler: func(s *sshtest.Session) int { <-release; return 0 }})
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = c.Run(home.ctx(), Command{Script: "true"}) })
	for s.Sessions() == 0 {
		time.Sleep(time.Millisecond)
	}
	_, err := c.Run(home.ctx(), Command{Script: "true"})
	if e := wantError(t, err, KindSession, "MaxSessions"); e.Offline() {
		t.Error("Offline() = true, want false")
	}
	close(release)
	wg.Wait()
}

func TestTokenFilterFindsSplitToken(t *testing.T) {
	t.Parallel()
	const text = "motd\nTOKENerror\n"
	for size := 1; size <= len(text); size++ {
		var out strings.Builder
		seen := 0
		f := &tokenFilter{out: &out, token: []byte("TOKEN"), onToken: func() { seen++ }}
		for rest := []byte(text); len(rest) > 0; {
			n := min(size, len(rest))
			_, _ = f.Write(rest[:n])
			rest = rest[n:]
		}
		f.close()
		if out.String() != "motd\nerror\n" || seen != 1 {
			t.Errorf("in pieces of %d: %q, token seen %d times", size, out.String(), seen)
		}
	}
}

var _ io.Writer = (*tokenFilter)(nil)

func TestStreamWithLittleDataHoldsNoLargeBuffer(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789abcdef", 5000)
	var sizes []int
	var out strings.Builder
	reads := strings.NewReader(text)
	n, err := copyStream(&out, readerFunc(func(p []byte) (int, error) {
		sizes = append(sizes, len(p))
		if len(sizes) < 4 || len(sizes) > 6 {
			p = p[:min(len(p), 10)] // little arrives
		}
		return reads.Read(p)
	}))
	if err != nil || n != int64(len(text)) || out.String() != text {
		t.Errorf("copied %d bytes, %v", n, err)
	}
	if slices.Max(sizes) < 10_000 || slices.Max(sizes[7:]) > 1000 || slices.Max(sizes[:4]) > 1000 {
		t.Errorf("buffers: %v", sizes[:10])
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
