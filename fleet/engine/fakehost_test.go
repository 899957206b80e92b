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

// The hosts of these tests are in memory. They speak the protocol that docs/architecture.md
// describes and append to the log of a job as time passes.

const rev1, rev2 = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"

// logPart is a part of a job's log that appears after a pause. awaitGo and confirming are special;
// see [fakeJob.play].
type logPart struct {
	pause time.Duration
	text  string
}

// fakeHost is one host. A test sets how it behaves before a run, and reads what it did after the
// run.
type fakeHost struct {
	name        string
	log         []logPart // of its job
	rollbackLog []logPart // of a job that rolls it back
	// decides on login n, counted from 0; nil accepts all
	onDial func(n int) error
	// bytes until a session loses its connection, or -1
	cut func(session int) int
	// time until a session loses its connection, or 0
	lifetime func(session int) time.Duration
	// sends its log from the start whatever the offset
	rewinds bool
	ignores func(signal string) bool // signals that it does not answer
	// the password that sudo asks for; "" if it asks for none
	sudo  string
	reply func(verb string, args arguments) string // replaces the header unless it returns ""
	// replaces the sessions that launch or follow its job; n counts them from 0
	hostile    func(ctx context.Context, n int, token string, out io.Writer) error
	dialTCP    func() error  // decides on connections from the host
	testOutput func() string // output of the repository tests

	mu        sync.Mutex
	logins    int
	sessions  int
	started   int // number of jobs
	passwords []string
	jobs      map[string]*fakeJob
	launched  []arguments
	signals   []string // received by its jobs
	running   sync.WaitGroup
}

// fakeFleet is a [host.Dialer].
type fakeFleet map[string]*fakeHost

func (f fakeFleet) Dial(ctx context.Context, h *inventory.Host) (host.Conn, error) {
	fake := f[h.Name]
	fake.mu.Lock()
	n := fake.logins
	fake.logins++
	fake.mu.Unlock()
	if fake.onDial != nil {
		if err := fake.onDial(n); err != nil {
			if errors.Is(err, errBlackHole) {
				host.Sleep(ctx, h.Timeouts.Connect)
				return nil, fakeRefusal{"no answer", true}
			}
			return nil, err
		}
	}
	return &fakeConn{host: fake, since: time.Now()}, nil
}

// errBlackHole makes Dial block until it times out.
var errBlackHole = errors.New("no answer")

// fakeRefusal is a [host.Refusal].
type fakeRefusal struct {
	text    string
	offline bool
}

func (e fakeRefusal) Error() string { return e.text }

func (e fakeRefusal) Offline() bool { return e.offline }

func (e fakeRefusal) Hint() string { return "check it" }

func (e fakeRefusal) Code() string { return "host-key-changed" }

type fakeConn struct {
	host  *fakeHost
	since time.Time
}

func (c *fakeConn) Close() error { return nil }

func (c *fakeConn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if c.host.dialTCP != nil {
		if err := c.host.dialTCP(); err != nil {
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
		return 0, nil // the command that checks a new login
	}
	_, launch := args["prompt"]
	_, follow := args["offset"]
	_, tests := args["test_seconds"]
	word, signal := args["word"]
	verb := "cancel"
	switch {
	case signal:
		verb = "signal"
	case launch:
		verb = "launch"
	case tests:
		verb = "tests"
	case follow:
		verb = "follow"
	}
	h := c.host
	out := &cutWriter{w: cmd.Stdout, left: -1}
	session := 0
	if verb != "signal" { // tests count only the other sessions
		h.mu.Lock()
		session = h.sessions
		h.sessions++
		h.mu.Unlock()
		if h.cut != nil {
			out.left = h.cut(session)
		}
	}
	answer := func(format string, values ...any) error {
		words := fmt.Sprintf(format, values...)
		if !strings.HasPrefix(words, "following ") { // a log ends with its own marker
			words += fmt.Sprintf("\n@%s end", args["token"])
		}
		_, err := fmt.Fprintf(out, "motd of %s\n@%s %s\n", h.name, args["token"], words)
		return err
	}
	if h.reply != nil {
		if words := h.reply(verb, args); words != "" {
			if words == "nothing" {
				fmt.Fprintln(cmd.Stderr, "sh: broken")
				return 127, nil
			}
			return 0, answer("%s", words)
		}
	}
	if h.hostile != nil && (verb == "launch" || verb == "follow") {
		return 0, h.hostile(ctx, session, args["token"], out)
	}
	switch verb {
	case "launch":
		if words := h.askSudo(cmd, args["prompt"]); words != "" {
			return 0, answer("%s", words)
		}
		h.launch(args)
		fallthrough
	case "follow":
		if h.lifetime != nil && h.lifetime(session) > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, h.lifetime(session), errCut)
			defer cancel()
		}
		return 0, h.follow(ctx, args, out, answer)
	case "tests":
		return 0, answer("following NONCE 0\n%s", h.testOutput())
	case "signal":
		if h.ignores != nil && h.ignores(word) {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return 0, answer("%s", h.signal(args["id"], word, c.since))
	}
	if h.job(args["id"]) == nil {
		return 0, answer("absent")
	}
	h.job(args["id"]).end("cancelled", "failed cancelled build cancelled during build")
	return 0, answer("cancelled")
}

// askSudo behaves like sudo -S: it prints a prompt to standard error and reads the password from
// standard input.
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
		added, over, change := job.bytes[offset:], job.over, job.change
		job.mu.Unlock()
		if len(added) > 0 {
			if _, err := out.Write(added); err != nil {
				return err
			}
			offset += len(added)
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

// cutWriter fails after a number of bytes, like a lost connection.
type cutWriter struct {
	w    io.Writer
	left int // -1 means no limit
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

// fullLog returns the log of a job that runs all steps and ends as given.
func fullLog(end string) []logPart {
	return []logPart{
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

// confirmLog returns the log of a job that waits for permission to activate, and then for its
// confirmation.
func confirmLog(within time.Duration) []logPart {
	log := fullLog(switched)
	log = slices.Insert(log, 8, logPart{within, confirming})
	return slices.Insert(log, 5, logPart{0, awaitGo})
}

// failLog returns the log of a job that fails in a step.
func failLog(step, code, text string) []logPart {
	const format = "NONCE step %[1]s start 1\nNONCE step %[1]s failed 2\nNONCE end failed %[2]s %[1]s %[3]s\n"
	return []logPart{{0, fmt.Sprintf(format, step, code, text)}}
}

// switched is the end of a job that succeeded.
const switched = "switched - verify runs the new configuration"
