package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/sshtest"
	"github.com/markus-barta/nixfleet/internal/testrounds"
	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

// hostileFleet is a fleet with two good hosts and many that misbehave. The limits of the latter are
// short.
type hostileFleet struct {
	t       *testing.T
	demo    *demo.Fleet
	hostile []string
}

var goodHosts = []string{"good1", "good2"}

// startHostileFleet starts the hostile hosts with these names, or all.
func startHostileFleet(t *testing.T, names ...string) *hostileFleet {
	f := &hostileFleet{t: t}
	var good []demo.Host
	for _, name := range goodHosts {
		good = append(good, demo.Host{Name: name, Kind: "nixos", User: "mba", Wave: 1})
	}
	var err error
	if f.demo, err = demo.Start(t.Context(), demo.Options{Hosts: good}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.demo.Close() })
	maxLog := map[int]string{1: "512KiB", 2: "32MiB"}[testrounds.N(1, 2)]
	var hosts, known strings.Builder
	for _, h := range sshtest.HostileHosts() {
		if len(names) > 0 && !slices.Contains(names, h.Name) {
			continue
		}
		server := sshtest.Start(t, h.Config)
		connect := "30s" // for a busy machine
		if slices.Contains([]string{"silent", "tarpit", "frozen"}, h.Name) {
			connect = "2s" // what the test waits for
		}
		grace := "1s"
		if h.Name == "password-loop" {
			grace = "30s" // it answers everything
		}
		f.hostile = append(f.hostile, h.Name)
		known.WriteString(server.KnownHostsLine())
		fmt.Fprintf(&hosts, "\n[hosts.%s]\nkind = \"nixos\"\naddress = \"127.0.0.1\"\nport = %d\nuser = \"mba\"\nmax_log = %q\n"+
			"timeouts = { connect = %q, reconnect = \"2s\", preflight = \"1s\", pull = \"1s\", build = \"1s\", activate = \"1s\", verify = \"1s\", test = \"1s\", answer = \"2s\", grace = %q }\n",
			h.Name, server.Port(), maxLog, connect, grace)
	}
	appendTo(t, f.demo.Inventory, hosts.String())
	appendTo(t, filepath.Join(f.demo.Home, ".ssh", "known_hosts"), known.String())
	return f
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	old, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(old, text...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// run runs fleetctl as a process of its own and returns what it printed. It fails the test if that
// cannot be shown on a terminal, or if fleetctl used too much memory.
func (f *hostileFleet) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "fleetctl", args...)
	cmd.Env = append(append(os.Environ(), f.demo.Environ()...), "TERM=dumb", "USER=mba")
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	started := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	var memory int64
	for running := true; running; {
		select {
		case err = <-exited:
			running = false
		case <-time.After(20 * time.Millisecond):
			memory = max(memory, peakMemory(cmd.Process.Pid))
		}
	}
	text, readErr := os.ReadFile(out.Name())
	if ctx.Err() != nil || readErr != nil {
		t.Fatalf("%v is still running, %v:\n%.5000s", args, readErr, text)
	}
	t.Logf("%.60s: %v after %v, %d MB, %d KB of output", strings.Join(args, " "), err, time.Since(started).Round(time.Millisecond), memory>>20, len(text)>>10)
	if memory > 200<<20 && !raceDetector {
		t.Errorf("%v used %d MB of memory", args, memory>>20)
	}
	checkPrintable(t, string(text))
	return string(text)
}

// peakMemory returns the most memory that a process has used so far, in bytes, or 0 on a system
// that does not report it.
func peakMemory(pid int) (kib int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if _, line, ok := strings.Cut(string(status), "\nVmHWM:"); ok {
		_, _ = fmt.Sscan(line, &kib)
	}
	return kib << 10
}

// runnerCommand matches what the runner of GitHub Actions takes for a command: in the newer form
// at the start of a line, in the older one anywhere (ActionCommand.cs in
// github.com/actions/runner).
var runnerCommand = regexp.MustCompile(`(?m)^\s*::[a-z-]+.*::|##\[[a-z-]+`)

// checkPrintable fails the test if text has a character that could change how a terminal shows
// other text, or a line that is a command to the runner of GitHub Actions.
func checkPrintable(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		for _, r := range line {
			if r < ' ' || r > '~' && (unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)) {
				t.Errorf("%U in %.300q", r, line)
				break
			}
		}
		if (strings.Contains(line, "::") || strings.Contains(line, "##")) && runnerCommand.MatchString(line) {
			t.Errorf("a workflow command: %.300q", line)
		}
	}
}

// expectGood fails the test unless each good host has a line that matches a pattern, in which HOST
// stands for its name.
func expectGood(t *testing.T, text, pattern string) {
	t.Helper()
	for _, name := range goodHosts {
		if !regexp.MustCompile(`(?m)` + strings.ReplaceAll(pattern, "HOST", name)).MatchString(text) {
			t.Errorf("nothing about %s matches %q:\n%.5000s", name, pattern, text)
		}
	}
}

// hostileOutcomes matches the outcomes and codes of a deploy to the hostile hosts. On a busy
// machine, any of them can be overdue before it has done its worst.
var hostileOutcomes = map[string]string{
	"half-answers":       "unknown deadline",
	"no-answer":          "failed shell",
	"no-status":          "unknown lost",
	"silent":             "unreachable offline",
	"header-then-silent": "unknown deadline",
	"byte-per-session":   "unknown deadline",
	"dribble":            "unknown deadline",
	"endless-header":     "unknown excess",
	"no-header":          "unknown excess",
	"motd":               "unknown excess",
	"empty-nonce":        "unknown protocol",
	"another-nonce":      "unknown vanished",
	"negative-offset":    "unknown protocol",
	"offset-beyond":      "unknown vanished",
	"huge-line":          "unknown excess",
	"endless-log":        "unknown excess",
	"endless-activities": "unknown excess",
	"million-facts":      "unknown excess",
	"million-steps":      "unknown excess",
	"stderr":             "failed shell",
	"control-characters": "unknown protocol",
	"workflow-commands":  "failed build",
	"forged-markers":     "failed build",
	"two-ends":           "failed build",
	"unknown-words":      "unknown protocol",
	"figures":            "failed build",
	"wrong-job":          "failed locked",
	"password-loop":      "failed sudo-password",
	"never-goes":         "unknown deadline",
	"late-answer":        "failed activation",
	"absent":             "unknown protocol",
	"tarpit":             "unreachable offline",
	"frozen":             "unreachable offline",
	"closing":            "unreachable offline",
	"not-ssh":            "failed protocol",
	"disconnecting":      "failed protocol|unreachable offline",
	"no-sessions":        "failed session",
	"banner":             "failed session",
}

// TestHostileHostsHarmOnlyThemselves runs commands on a fleet of hostile hosts and two good ones:
// by default the few that cover the most, in full rounds all of them.
func TestHostileHostsHarmOnlyThemselves(t *testing.T) {
	t.Parallel()
	f := startHostileFleet(t)
	if len(f.hostile) < 25 {
		t.Errorf("only %d hostile hosts", len(f.hostile))
	}
	events := f.run(t, "deploy", "--all", "--yes", "--parallel", "100", "--output", "json")
	var state fleet.State
	for line := range strings.Lines(events) {
		var ev fleet.Event
		if json.Unmarshal([]byte(line), &ev) == nil {
			state.Apply(ev)
		}
	}
	for _, h := range state.Hosts {
		got := "nothing"
		if h.Result != nil {
			got = strings.TrimSpace(string(h.Result.Outcome) + " " + string(h.Result.Code))
		}
		want, ok := hostileOutcomes[h.Name]
		if !ok {
			want = "switched"
		}
		if !regexp.MustCompile("^(?:" + want + "|unknown deadline)$").MatchString(got) {
			t.Errorf("%s: %s, want %s: %+v", h.Name, got, want, h.Result)
		}
	}
	if size := sizeOf(t, f.demo.Home); size > 300<<20 {
		t.Errorf("the operator's disk has %d MB more", size>>20)
	}
	type command struct {
		args []string
		good string
	}
	commands := map[string]command{
		"attach":      {[]string{"attach", "last"}, `HOST +✓ switched`},
		"status":      {[]string{"status", "--parallel", "100"}, `HOST .*current`},
		"plan":        {[]string{"plan", "--all", "--parallel", "100"}, `HOST \(nixos, wave 1\)\n  the checkout is at`},
		"generations": {[]string{"rollback", "--all", "--list", "--parallel", "100"}, `HOST .*current`},
		"test":        {[]string{"test", "--all", "--parallel", "100"}, `HOST .*no tests`},
		"exec":        {[]string{"exec", "--all", "--yes", "--parallel", "100", "--timeout", "5s", "--", "echo fine"}, `HOST .*fine`},
	}
	logged := append(f.hostile, goodHosts...)
	short := testrounds.N(1, 0) == 1
	if short {
		maps.DeleteFunc(commands, func(name string, _ command) bool { return name != "attach" && name != "status" })
		logged = goodHosts
	}
	var running sync.WaitGroup
	for name, command := range commands {
		running.Go(func() {
			t.Run(name, func(t *testing.T) { expectGood(t, f.run(t, command.args...), command.good) })
		})
	}
	running.Wait()
	if !short {
		expectGood(t, f.run(t, "reboot", "--all", "--yes", "--parallel", "100", "--timeout", "1m"), `HOST .*rebooted`)
	}
	for _, name := range logged {
		var out syncBuffer
		env := f.env(&out)
		if code := Main(env, []string{"logs", "last", name}); code != fleet.ExitOK && code != fleet.ExitFailed {
			t.Errorf("logs of %s: exit code %d\n%.3000s", name, code, out.String())
		}
		checkPrintable(t, out.String())
	}
}

// TestHostileTextIsOnlyText drives text that attacks terminals and CI systems through every command
// that shows what hosts print, as text and as JSON, and through the live table on a terminal.
func TestHostileTextIsOnlyText(t *testing.T) {
	t.Parallel()
	f := startHostileFleet(t, "control-characters", "workflow-commands", "not-ssh", "disconnecting", "no-sessions", "banner", "unknown-words", "figures", "wrong-job")
	text := f.run(t, "deploy", "--all", "--yes")
	expectGood(t, text, `HOST +✓ switched`)
	commands := make(map[string][]string)
	for _, args := range [][]string{
		{"status"}, {"plan", "--all"}, {"rollback", "--all", "--list"}, {"test", "--all"}, {"exec", "--all", "--yes", "--", "true"},
		{"exec", "--all", "--yes", "--group", "--", "true"}, {"check", "--connect"}, {"history"}, {"history", "last"}, {"pull", "--all", "--yes"},
	} {
		for _, output := range []string{"text", "json"} {
			flag := "--output"
			if args[0] == "check" {
				flag = "--format"
			}
			command := append([]string{args[0], flag, output}, args[1:]...)
			commands[strings.Join(command, " ")] = command
		}
	}
	for _, command := range testrounds.Some(commands, 8) {
		var out syncBuffer
		if code := Main(f.env(&out), command); code == fleet.ExitUsage {
			t.Errorf("%v: exit code %d\n%s", command, code, out.String())
		}
		checkPrintable(t, out.String())
	}
	p := tmuxtest.Open(t, 160, 50, "PS1='shell> ' ENV= exec sh -i")
	p.Until("shell>")
	raw := filepath.Join(t.TempDir(), "raw")
	p.Record(raw)
	p.Keys("env "+strings.Join(quoteAll(f.demo.Environ()), " ")+" fleetctl deploy --all --yes; echo deploy $((40 + 2))", "Enter")
	p.Until("deploy 42")
	p.Keys("env "+strings.Join(quoteAll(f.demo.Environ()), " ")+" fleetctl; echo table $((40 + 2))", "Enter")
	p.Until("no SSH server")
	for range f.hostile { // the details of each host
		p.Keys("j", "Enter")
		p.Keys("Escape")
	}
	p.Keys("q", "q", "q") // the last ones are for the shell
	p.Until("table 42")
	printed, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(printed) < 10_000 {
		t.Errorf("only %d bytes were recorded", len(printed))
	}
	for _, attack := range []string{"\x1b]0;title", "\x1b]52;", "\x1b]8;;http://evil", "\x1b[2J\x1b[31m", "\x9b31m", "\xff\xfe", "##["} {
		if at := bytes.Index(printed, []byte(attack)); at >= 0 {
			t.Errorf("%q reached the terminal: %q", attack, printed[max(0, at-100):min(len(printed), at+100)])
		}
	}
	for at, r := range string(printed) {
		if r > '~' && unicode.In(r, unicode.Cc, unicode.Cf) {
			t.Errorf("%U reached the terminal: %q", r, printed[max(0, at-100):min(len(printed), at+100)])
			break
		}
	}
}

func quoteAll(words []string) []string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, "'"+word+"'")
	}
	return quoted
}

func TestHostThatRejectsEveryPasswordGetsThree(t *testing.T) {
	t.Parallel()
	f := startHostileFleet(t, "password-loop")
	for _, command := range []string{"deploy", "reboot"} {
		var out syncBuffer
		env := f.env(&out)
		var prompts []string
		env.Secret = func(_ context.Context, prompt string) (string, error) {
			prompts = append(prompts, prompt)
			return "secret", nil
		}
		if code := Main(env, []string{command, "password-loop", "--yes"}); code != fleet.ExitFailed || len(prompts) != 3 {
			t.Errorf("%s: exit code %d after the prompts %q\n%s", command, code, prompts, out.String())
		}
		if strings.Contains(out.String(), "secret") || !strings.Contains(out.String(), "sudo rejected the password") {
			t.Errorf("%s printed:\n%s", command, out.String())
		}
	}
}

// env returns the environment of a command in this process.
func (f *hostileFleet) env(out io.Writer) *Env {
	variables := map[string]string{}
	for _, setting := range f.demo.Environ() {
		name, value, _ := strings.Cut(setting, "=")
		variables[name] = value
	}
	return &Env{
		In: strings.NewReader(""), Out: out, Err: out, Getenv: func(name string) string { return variables[name] },
		Environ: f.demo.Environ(), Home: f.demo.Home, User: "mba", Dir: f.demo.Dir, Now: time.Now,
	}
}

// sizeOf returns the size of all files below a directory.
func sizeOf(t *testing.T, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}
