package sshtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Hostile is a host that misbehaves in one way, whatever fleetctl asks it.
type Hostile struct {
	Name   string
	Config Config // of its server
}

// A question is a session in which fleetctl runs one of its scripts. The scripts take NAME=VALUE
// arguments, of which each script has a different set; docs/architecture.md describes the answers.
type question struct {
	*Session
	nth    int               // of the host's sessions, from 1
	args   map[string]string // empty if it is a command of the operator's
	token  string            // starts the header of the answer
	offset int
	input  *bufio.Reader // what follows the script
	ready  string        // the word that fleetctl waits for before it sends more
}

const hostileNonce = "0123456789abcdef0123456789abcdef"

// newQuestion reads a script and its arguments. They are words of plain bytes and _ooo, an octal
// byte, in the command line or at the head of the script.
func newQuestion(s *Session, nth int) *question {
	q := &question{Session: s, nth: nth, args: map[string]string{}, input: bufio.NewReader(s.Stdin)}
	_, words, _ := strings.Cut(s.Command, " -- ")
	for last := ""; ; {
		line, err := q.input.ReadString('\n')
		if set, ok := strings.CutPrefix(line, "set -- "); ok && words == "" {
			words = set
		}
		if ready, ok := strings.CutPrefix(line, "printf %s "); ok && strings.HasSuffix(line, " >&2\n") {
			q.ready = strings.TrimSuffix(ready, " >&2\n")
		}
		if err != nil || last == "exit\n" && line == "}\n" {
			break
		}
		last = line
	}
	for _, word := range strings.Fields(words) {
		pieces := strings.Split(word, "_")
		text := []byte(pieces[0])
		for _, piece := range pieces[1:] {
			if len(piece) >= 3 {
				b, _ := strconv.ParseUint(piece[:3], 8, 8)
				text = append(append(text, byte(b)), piece[3:]...)
			}
		}
		if name, value, ok := strings.Cut(string(text), "="); ok {
			q.args[name] = value
		}
	}
	q.token = q.args["token"]
	q.offset, _ = strconv.Atoi(q.args["offset"])
	return q
}

func (q *question) has(name string) bool { _, ok := q.args[name]; return ok }

// job reports whether the answer is a job's log.
func (q *question) job() bool { return q.has("offset") }

// log reports whether the answer is a log: that of a job, of the repository's tests, or of a check.
func (q *question) log() bool { return q.job() || q.has("test_seconds") || q.has("goal") }

// signal reports whether the question is a word to a job.
func (q *question) signal() bool { return q.has("word") }

// printf prints to standard output. It reports whether the client still listens.
func (q *question) printf(format string, values ...any) bool {
	_, err := fmt.Fprintf(q.Stdout, format, values...)
	return err == nil && q.Context.Err() == nil
}

// header prints the header that the script would print if all was well.
func (q *question) header() {
	switch {
	case q.log():
		q.printf("@%s following %s %d\n", q.token, hostileNonce, q.offset)
	case q.signal():
		q.printf("@%s told\n", q.token)
	case q.has("most"):
		q.printf("@%s generations\n", q.token)
	case q.has("build"):
		q.printf("@%s planned\n", q.token)
	case q.has("branch"):
		q.printf("@%s tip %s\n", q.token, strings.Repeat("b", 40))
	case q.has("prompt"):
		q.printf("@%s refused no-reboot\n", q.token)
	case len(q.args) == 1:
		q.printf("@%s booted %s\n", q.token, hostileNonce)
	case q.token != "":
		q.printf("@%s probed\n", q.token)
	}
}

// end prints the end of an answer that is not a log.
func (q *question) end() {
	if !q.log() && q.token != "" {
		q.printf("@%s end\n", q.token)
	}
}

// marks prints markers of a log.
func (q *question) marks(markers ...string) {
	for _, marker := range markers {
		q.printf("%s %s\n", hostileNonce, marker)
	}
}

// pause waits, and reports whether the client is still there.
func (q *question) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-q.Context.Done():
		return false
	}
}

// hang waits until the client hangs up.
func (q *question) hang() { <-q.Context.Done() }

// flood repeats text until the client hangs up or size bytes are printed. The operator's own
// commands have no limit, so their output just stops.
func (q *question) flood(text string, size int) {
	if q.token == "" {
		defer q.hang()
		size = min(size, 16<<20)
	}
	block := bytes.Repeat([]byte(text), 32<<10/len(text)+1)
	for n := 0; n < size; n += len(block) {
		if _, err := q.Stdout.Write(block); err != nil || q.Context.Err() != nil {
			return
		}
	}
}

// everywhere answers every question completely, with text in each place that fleetctl may show.
func (q *question) everywhere(text string) {
	line, _, _ := strings.Cut(text, "\n")
	fmt.Fprint(q.Stderr, text)
	if q.token == "" || q.has("prompt") && !q.log() || q.signal() {
		if q.token != "" {
			q.printf("%s@%s refused %s text=%s\n", text, q.token, line, line)
			q.end()
			return
		}
		q.printf("%s", text)
		return
	}
	q.printf("%s", text)
	q.header()
	if q.log() {
		q.marks("step preflight start", "fact before "+line, "fact "+line+" "+line, "note "+line, "warn code=silent service="+line+" address="+line,
			"step preflight ok", "step build start", "fact test "+line)
		word, _ := json.Marshal(line)
		q.printf("%s@nix {\"action\":\"msg\",\"level\":0,\"msg\":%s}\n@nix {\"action\":\"start\",\"id\":1,\"level\":0,\"type\":105,\"text\":%[2]s,\"fields\":[%[2]s]}\n", text, word)
		q.marks("fact exit 1 1", "step build failed", "end failed build build text="+line)
		return
	}
	for _, key := range []string{
		"kind", "boot", "time", "host", "os", "nix", "uptime", "load", "ticks", "cores", "root", "store", "failed", "job", "deployed",
		"booted", "profile", "generation", "revision", "checkout", "branch", "standing", "remote", "dirty", "head", "commit", "author", "problem",
		"nix error:", "from", "built", "difference", "units would start the following units:", "operation",
	} {
		q.printf("%s %s %s\n", key, line, line)
	}
	q.printf("1 2 %s %s\n", line, line)
	q.end()
}

// ActionsText is output that commands the runner of GitHub Actions: in the form that has to start a
// line, and in the form that is recognized anywhere in one.
const ActionsText = "::error file=hosts.toml::pwned\n  ::add-mask::demo\nx ##[add-matcher]/tmp/x\n::stop-commands::pwned\n"

// hostileAnswers are ways to answer a question.
var hostileAnswers = []struct {
	name   string
	answer func(*question)
}{
	{"half-answers", func(q *question) { q.header(); q.printf("kind nixos\nrevision ") }},
	{"no-answer", func(*question) {}},
	{"no-status", nil}, // see HostileHosts
	{"silent", func(q *question) { q.hang() }},
	{"header-then-silent", func(q *question) { q.header(); q.hang() }},
	{"byte-per-session", func(q *question) { q.header(); q.printf("x") }},
	{"dribble", func(q *question) {
		for q.header(); q.printf("x") && q.pause(100*time.Millisecond); {
		}
	}},
	{"endless-header", func(q *question) { q.printf("@%s ", q.token); q.flood("x", 1<<30) }},
	{"no-header", func(q *question) { q.flood("x", 1<<30) }},
	{"motd", func(q *question) { q.flood("Welcome!\n", 1<<30) }},
	{"empty-nonce", func(q *question) {
		if !q.log() {
			q.header()
			return
		}
		q.printf("@%s following  0\n", q.token)
		q.flood(" step build start\n", 1<<30)
	}},
	{"another-nonce", func(q *question) {
		if !q.job() {
			q.printf("@%s following\n", q.token)
			return
		}
		q.printf("@%s following %032d %d\n%032d step build start\n", q.token, q.nth, q.offset, q.nth)
	}},
	{"negative-offset", func(q *question) {
		q.printf("@%s following %s -%d\n", q.token, hostileNonce, uint64(1)<<62)
		q.flood("x\n", 1<<20)
		q.hang()
	}},
	{"offset-beyond", func(q *question) { q.printf("@%s following %s %d\n", q.token, hostileNonce, uint64(1)<<62); q.hang() }},
	{"huge-line", func(q *question) { q.header(); q.flood("x", 100<<20); q.printf("\n"); q.end() }},
	{"endless-log", func(q *question) {
		q.header()
		q.marks("step build start")
		q.flood("building something that prints a lot\n", 1<<40)
	}},
	{"million-facts", func(q *question) {
		q.header()
		for n := 0; n < 1_000_000 && q.printf("%s fact key-%d %d\nfailed unit-%d\n", hostileNonce, n, n, n); n++ {
		}
	}},
	{"endless-activities", func(q *question) {
		q.header()
		q.marks("step build start")
		name := strings.Repeat("x", 1000)
		for n := 0; n < 1_000_000 && q.printf("@nix {\"action\":\"start\",\"id\":%d,\"type\":%d,\"fields\":[\"/nix/store/%d-%s\"]}\n", n, 100+n, n, name); n++ {
		}
	}},
	{"million-steps", func(q *question) {
		q.header()
		for n := 0; n < 1_000_000 && q.printf("%s step build start\n%[1]s step build ok\n", hostileNonce); n++ {
		}
	}},
	{"stderr", func(q *question) {
		block := bytes.Repeat([]byte("e"), 32<<10)
		for n := 0; n < 3000; n++ {
			if _, err := q.Stderr.Write(block); err != nil {
				return
			}
		}
	}},
	{"control-characters", func(q *question) { q.everywhere(HostileText + HostileText) }},
	{"workflow-commands", func(q *question) {
		line := strings.Split(ActionsText, "\n")[q.nth%4]
		q.everywhere(line + "\n" + ActionsText)
	}},
	{"forged-markers", func(q *question) {
		other := strings.Repeat("f", 32)
		q.printf("%s end switched - verify text=forged\n@other end\n@%s", other, strings.Repeat("A", 26))
		q.header()
		q.printf("%s end switched - verify\n%s  end switched - verify\n@%s following %s 0\n", other, hostileNonce, q.token, other)
		q.marks("step build start", "end failed build build text=the first header counts")
		q.end()
	}},
	{"two-ends", func(q *question) {
		q.header()
		q.marks("step build start", "end failed build build text=the first end counts", "end switched - verify text=the second end")
		q.end()
		q.printf("failed late.service\n")
		q.end()
	}},
	{"unknown-words", func(q *question) {
		if q.nth%2 == 0 && !q.job() {
			q.printf("@%s perhaps code\n", q.token)
			q.end()
			return
		}
		q.header()
		q.marks("step levitate start", "step build perhaps", "perhaps", "fact", "end splendid glory levitate text=what?")
		q.end()
	}},
	{"figures", func(q *question) {
		q.header()
		for _, figure := range []string{"-1", "1e308", "99999999999999999999999999", "NaN", "-9223372036854775808"} {
			for _, key := range []string{"uptime", "load", "ticks", "cores", "root", "store", "generation", "time", "standing", "MemTotal", "MemAvailable"} {
				q.printf("%s %s %[2]s %[2]s\n", key, figure)
			}
			q.printf("%s %[1]s -\n", figure)
			q.marks("fact generation "+figure, "fact previous "+figure, "fact test x", "fact exit "+figure+" "+figure)
		}
		q.printf("@nix {\"action\":\"result\",\"id\":-1,\"type\":105,\"fields\":[-1,9223372036854775807,-9223372036854775808,1e300]}\n")
		q.marks("end failed build build exit=-99999999999999999999")
		q.end()
	}},
	{"wrong-job", func(q *question) {
		switch {
		case q.job() && q.has("prompt"):
			q.printf("@%s refused locked job=../../../etc/passwd.x who=%%20 since=-1 step=%%0a\n", q.token)
		case q.job(), q.signal():
			q.printf("@%s absent\n", q.token)
		default:
			q.printf("@%s probed\njob id=../../../etc/passwd.x who=root since=-99999999999 step=build lives=yes\n", q.token)
		}
		q.end()
	}},
	{"password-loop", func(q *question) {
		if !q.has("prompt") {
			q.header()
			q.end()
			return
		}
		code := "sudo-password"
		if prompt := q.args["prompt"]; prompt != "" {
			code = "sudo-wrong"
			q.readPassword(prompt)
		}
		q.printf("@%s refused %s\n", q.token, code)
		q.end()
	}},
	{"never-goes", func(q *question) {
		if q.signal() {
			q.hang()
			return
		}
		q.header()
		if q.job() {
			q.marks("step build start", "step build ok", "fact awaiting go")
		}
		q.hang()
	}},
	{"late-answer", func(q *question) {
		if q.signal() {
			q.pause(300 * time.Millisecond)
			q.header()
			q.end()
			return
		}
		q.header()
		if q.job() {
			q.marks("step build start", "step build ok", "fact awaiting go")
			q.pause(200 * time.Millisecond)
			q.marks("step activate start")
			q.pause(500 * time.Millisecond)
			q.marks("step activate failed", "end failed activation activate text=late")
		}
		q.end()
	}},
	{"absent", func(q *question) { q.printf("@%s absent\n", q.token); q.end() }},
}

// readPassword prints the prompt of sudo and reads a password.
func (q *question) readPassword(prompt string) {
	fmt.Fprint(q.Stderr, q.ready+prompt)
	_, _ = q.input.ReadString('\n')
}

// HostileHosts returns hosts that misbehave, each in another way: in what they answer, in the
// protocol, and in when they hang up.
func HostileHosts() []Hostile {
	var hosts []Hostile
	for _, a := range hostileAnswers {
		var sessions atomic.Int64
		hosts = append(hosts, Hostile{a.name, Config{Handler: func(s *Session) int {
			if a.answer == nil {
				return NoStatus
			}
			a.answer(newQuestion(s, int(sessions.Add(1))))
			return 0
		}}})
	}
	everyConnection := func(f Fault) func(int) Fault { return func(int) Fault { return f } }
	text := HostileText + ActionsText
	return append(hosts,
		Hostile{"tarpit", Config{Fault: everyConnection(Fault{Tarpit: true})}},
		Hostile{"frozen", Config{Fault: everyConnection(Fault{FreezeAfterLogin: true})}},
		Hostile{"closing", Config{Fault: func(nth int) Fault { return Fault{CutTotal: int64(1 + nth*257%4096)} }}},
		Hostile{"not-ssh", Config{Fault: everyConnection(Fault{Refuse: text})}},
		Hostile{"disconnecting", Config{Fault: everyConnection(Fault{Disconnect: text})}},
		Hostile{"no-sessions", Config{RejectSessions: text}},
		Hostile{"banner", Config{Banner: strings.Repeat(text, 100), RejectSessions: "no"}},
	)
}
