package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// The hosts of these tests live in memory. They speak the protocol that docs/architecture.md describes, and play a job's log by the clock.

const rev1, rev2 = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"

// piece is a part of a job's log, which comes after a pause. Of awaitGo and confirming, see [fakeJob.play].
type piece struct {
	pause time.Duration
	text  string
}

// fakeHost is one host: what it will do is set before a test's run, what it did is read after it.
type fakeHost struct {
	name    string
	rewinds bool                                     // it prints its log from the beginning, whatever was asked for
	log     []piece                                  // of its job
	back    []piece                                  // of one that rolls it back
	dials   func(n int) error                        // what login n, from 0, is answered; nil lets it in
	cut     func(session int) int                    // after how many bytes session n loses its connection; -1 never
	life    func(session int) time.Duration          // after how long session n loses its connection; 0 never
	deaf    func(word string) bool                   // what it is told has no answer
	sudo    string                                   // the password that launch wants, if any
	says    func(verb string, args arguments) string // another header than usual, or ""
	tcp     func() error                             // what a connection from the host finds
	tests   func() string                            // what the repository's tests print

	mu        sync.Mutex
	logins    int
	sessions  int
	started   int // jobs
	passwords []string
	jobs      map[string]*fakeJob
	launched  []arguments
	told      []string // the words its jobs were told
	playing   sync.WaitGroup
}

// fakeFleet is a Dialer.
type fakeFleet map[string]*fakeHost

func (f fakeFleet) Dial(ctx context.Context, h *inventory.Host) (host.Conn, error) {
	fake := f[h.Name]
	fake.mu.Lock()
	n := fake.logins
	fake.logins++
	fake.mu.Unlock()
	if fake.dials != nil {
		if err := fake.dials(n); err != nil {
			if errors.Is(err, errBlackHole) {
				host.Sleep(ctx, h.Timeouts.Connect)
				return nil, fakeRefusal{"no answer", true}
			}
			return nil, err
		}
	}
	return &fakeConn{host: fake, since: time.Now()}, nil
}

var errBlackHole = errors.New("nothing comes back")

// fakeRefusal is an error of a Dialer.
type fakeRefusal struct {
	text    string
	offline bool
}

func (e fakeRefusal) Error() string { return e.text }

func (e fakeRefusal) Offline() bool { return e.offline }

func (e fakeRefusal) Hint() string { return "look at it" }

func (e fakeRefusal) Code() string { return "host-key-changed" }

type fakeConn struct {
	host  *fakeHost
	since time.Time
}

func (c *fakeConn) Close() error { return nil }

func (c *fakeConn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if c.host.tcp != nil {
		if err := c.host.tcp(); err != nil {
			return nil, err
		}
	}
	here, there := net.Pipe()
	there.Close()
	return here, nil
}

// arguments are a script's NAME=VALUE arguments.
type arguments map[string]string

func (c *fakeConn) Run(ctx context.Context, cmd host.Command) (int, error) {
	args := arguments{}
	for _, arg := range cmd.Args {
		name, value, _ := strings.Cut(arg, "=")
		args[name] = value
	}
	if _, ok := args["token"]; !ok {
		return 0, nil // the command of a new login
	}
	_, launch := args["prompt"]
	_, follow := args["offset"]
	_, tip := args["repo"]
	_, tests := args["test_seconds"]
	word, tell := args["word"]
	verb := "cancel"
	switch {
	case tell:
		verb = "tell"
	case launch:
		verb = "launch"
	case tests:
		verb = "tests"
	case follow:
		verb = "follow"
	case tip:
		verb = "tip"
	}
	h := c.host
	out := &cutWriter{w: cmd.Stdout, left: -1}
	session := 0
	if verb != "tell" { // words are said beside the sessions that these tests count
		h.mu.Lock()
		session = h.sessions
		h.sessions++
		h.mu.Unlock()
		if h.cut != nil {
			out.left = h.cut(session)
		}
	}
	answer := func(format string, values ...any) error {
		_, err := fmt.Fprintf(out, "motd of %s\n@%s %s\n", h.name, args["token"], fmt.Sprintf(format, values...))
		return err
	}
	if h.says != nil {
		if words := h.says(verb, args); words != "" {
			if words == "nothing" {
				fmt.Fprintln(cmd.Stderr, "sh: broken")
				return 127, nil
			}
			return 0, answer("%s", words)
		}
	}
	switch verb {
	case "launch":
		if words := h.askSudo(cmd, args["prompt"]); words != "" {
			return 0, answer("%s", words)
		}
		h.launch(args)
		fallthrough
	case "follow":
		if h.life != nil && h.life(session) > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, h.life(session), errCut)
			defer cancel()
		}
		return 0, h.follow(ctx, args, out, answer)
	case "tests":
		return 0, answer("following NONCE 0\n%s", h.tests())
	case "tip":
		return 0, answer("tip %s", rev2)
	case "tell":
		if h.deaf != nil && h.deaf(word) {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return 0, answer("%s", h.hear(args["id"], word, c.since))
	}
	if h.job(args["id"]) == nil {
		return 0, answer("absent")
	}
	h.job(args["id"]).end("failed cancelled build cancelled during build", "cancelled")
	return 0, answer("cancelled")
}

// askSudo plays sudo -S: the prompt on standard error, the password from standard input.
func (h *fakeHost) askSudo(cmd host.Command, prompt string) string {
	if h.sudo == "" {
		return ""
	}
	if prompt == "" {
		return "refused sudo-password"
	}
	io.WriteString(cmd.Stderr, prompt)
	typed, _ := io.ReadAll(cmd.Stdin)
	h.mu.Lock()
	h.passwords = append(h.passwords, string(typed))
	h.mu.Unlock()
	if string(typed) != h.sudo+"\n" {
		return "refused sudo-wrong"
	}
	return ""
}

func (h *fakeHost) follow(ctx context.Context, args arguments, out io.Writer, answer func(string, ...any) error) error {
	job := h.job(args["id"])
	if job == nil {
		return answer("absent")
	}
	offset, _ := strconv.Atoi(args["offset"])
	if h.rewinds {
		offset = 0
	}
	if err := answer("following %s %d", job.nonce, offset); err != nil {
		return err
	}
	for {
		job.mu.Lock()
		news, over, change := job.bytes[offset:], job.over, job.change
		job.mu.Unlock()
		if len(news) > 0 {
			if _, err := out.Write(news); err != nil {
				return err
			}
			offset += len(news)
			continue
		}
		if over {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// cutWriter loses the connection after so many bytes.
type cutWriter struct {
	w    io.Writer
	left int // -1 is no limit
}

var errCut = errors.New("connection reset by peer")

func (c *cutWriter) Write(p []byte) (int, error) {
	if c.left >= 0 && len(p) > c.left {
		n, _ := c.w.Write(p[:c.left])
		c.left = 0
		return n, errCut
	}
	if c.left >= 0 {
		c.left -= len(p)
	}
	return c.w.Write(p)
}

// steps is the log of a job that goes through all steps, and ends as given.
func steps(end string) []piece {
	return []piece{
		{0, "NONCE step preflight start\nNONCE fact before " + rev1 + "\nNONCE step preflight ok\n"},
		{time.Second, "NONCE step pull start\nremote: \x1b[1mhello\x1b[0m\r\nNONCE fact pull advanced 1\nNONCE step pull ok\n"},
		{time.Second, "NONCE step build start\n@nix {\"action\":\"start\",\"id\":1,\"level\":3,\"type\":104,\"text\":\"\",\"parent\":0}\n"},
		{time.Second, "@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[1,3,1,0]}\n"},
		{time.Second, "@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[3,3,0,0]}\nNONCE fact built /nix/store/x\nNONCE step build ok\n"},
		{time.Second, "NONCE step activate start\nactivating the configuration...\nno newline hereNONCE step activate ok\n"},
		{time.Second, "NONCE step verify start\n"},
		{time.Second, "NONCE fact generation 42\nNONCE fact after " + rev2 + "\nNONCE step verify ok\n"},
		{0, "NONCE end " + end + "\n"},
	}
}

// confirmed is the log of a job that waits to be told to go on, and to have its switch confirmed.
func confirmed(within time.Duration) []piece {
	log := steps(switched)
	log = slices.Insert(log, 8, piece{within, confirming})
	return slices.Insert(log, 5, piece{0, awaitGo})
}

// broken is the log of a job that fails in the step of that name.
func broken(step, code, text string) []piece {
	return []piece{{0, fmt.Sprintf("NONCE step %s start 1\nNONCE step %s failed 2\nNONCE end failed %s %s %s\n", step, step, code, step, text)}}
}

const switched = "switched - verify runs the new configuration"
