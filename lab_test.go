//go:build lab

// The lab's tests: fleetctl as its user runs it, on hosts that are real (testdata/lab). They need root and some minutes:
//
//	go test -tags lab -run Lab -v .
package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// The lab has three hosts, as its inventory says: m1 and m2 are machines, m3 is a home.
const labHosts = "3"

var lab = struct {
	script, dir, fleetctl string
}{script: "testdata/lab/lab"}

func TestMain(m *testing.M) { os.Exit(inLab(m)) }

func inLab(m *testing.M) int {
	build, err := os.MkdirTemp("", "fleetctl")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(build)
	lab.fleetctl = filepath.Join(build, "fleetctl")
	for _, step := range [][]string{{"go", "build", "-o", lab.fleetctl, "."}, {lab.script, "up", labHosts}} {
		cmd := exec.Command(step[0], step[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", strings.Join(step, " "), err)
			return 1
		}
	}
	defer exec.Command(lab.script, "down").Run()
	dir, err := exec.Command(lab.script, "dir").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	lab.dir = strings.TrimSpace(string(dir))
	return m.Run()
}

// command is the lab's script with a verb.
func command(args ...string) *exec.Cmd { return exec.Command(lab.script, args...) }

// must runs the lab's script, and returns what it prints.
func must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("lab %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// on runs sh on a host, past its fish.
func on(t *testing.T, host, script string) string {
	t.Helper()
	cmd := command("on", host, "exec /bin/sh -s")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("on %s: %s: %v\n%s", host, script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// push gives a host words for its next configuration, and the other hosts none.
func push(t *testing.T, host, words string) string {
	t.Helper()
	return must(t, "push", host, words)
}

// report is what a run of fleetctl with --output json said.
type report struct {
	exit    int
	events  []fleet.Event
	results map[string]*fleet.Result
	facts   map[string]map[string]string
	stderr  string
}

func (r report) run() string { return r.events[0].Run }

func operator(args ...string) *exec.Cmd {
	return command(append([]string{"op", lab.fleetctl}, args...)...)
}

// fleetctl runs a command to its end.
func fleetctl(t *testing.T, args ...string) report {
	t.Helper()
	return ends(t, operator(append(args, "--output", "json")...))
}

// ends runs a command that reports in JSON to its end.
func ends(t *testing.T, cmd *exec.Cmd) report {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	r := readReport(t, &out)
	r.stderr = errs.String()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.exit = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return r
}

func readReport(t *testing.T, out *bytes.Buffer) report {
	t.Helper()
	r := report{results: map[string]*fleet.Result{}, facts: map[string]map[string]string{}}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e fleet.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%q is no event: %v", lines.Text(), err)
		}
		r.events = append(r.events, e)
		switch e.Type {
		case fleet.HostFinished:
			r.results[e.Host] = e.Result
		case fleet.FactLearned:
			if r.facts[e.Host] == nil {
				r.facts[e.Host] = map[string]string{}
			}
			r.facts[e.Host][e.Key] = e.Value
		}
	}
	return r
}

// wants asserts one host's outcome, and returns its result.
func (r report) wants(t *testing.T, host string, outcome fleet.Outcome, code fleet.Code) *fleet.Result {
	t.Helper()
	result := r.results[host]
	if result == nil {
		t.Fatalf("%s has no result; exit code %d\n%s", host, r.exit, r.stderr)
	}
	if result.Outcome != outcome || result.Code != code {
		t.Errorf("%s is %s (%s): %s; want %s (%s)", host, result.Outcome, result.Code, result.Reason, outcome, code)
	}
	return result
}

func (r report) exits(t *testing.T, code int) {
	t.Helper()
	if r.exit != code {
		t.Errorf("exit code %d, want %d\n%s", r.exit, code, r.stderr)
	}
}

// sameLog asserts that the record has a host's log byte for byte.
func sameLog(t *testing.T, run, host string) []byte {
	t.Helper()
	there, err := command("on", host, "cat .local/state/fleetctl/jobs/"+run+"."+host+"/log").Output()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.ReadFile(filepath.Join(lab.dir, "operator/state/fleetctl/runs", run, "hosts", host+".log"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(here, there) {
		t.Errorf("the record's log of %s has %d bytes, the host's %d, and they differ", host, len(here), len(there))
	}
	return there
}

// settled asserts that no lock, no job and no root half is left on a host.
func settled(t *testing.T, host string) {
	t.Helper()
	comesTo(t, host, "", `ls .local/state/fleetctl/lock 2>/dev/null; ps -eo args= | grep -E 'job\.sh|root\.sh' | grep -v grep; true`)
}

// comesTo asserts that a script prints that on a host, within some seconds.
func comesTo(t *testing.T, host, want, script string) {
	t.Helper()
	got := ""
	for range 50 {
		if got = on(t, host, script); got == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s: %s\nprints:\n%s\nwant:\n%s", host, script, got, want)
}

func TestLabDeploySwitchesEveryHostOnceAndThenNone(t *testing.T) {
	rev := push(t, "m1", "")
	first := fleetctl(t, "deploy", "--all")
	first.exits(t, 0)
	for _, host := range []string{"m1", "m2", "m3"} {
		result := first.wants(t, host, fleet.Switched, "")
		if result.After != rev {
			t.Errorf("%s is at %q after, want %q", host, result.After, rev)
		}
		built := first.facts[host]["built"]
		profile := "/nix/var/nix/profiles/system"
		if host == "m3" {
			profile = "$HOME/.local/state/nix/profiles/home-manager"
		} else if got := on(t, host, "readlink /run/current-system"); got != built {
			t.Errorf("%s runs %s, built was %s", host, got, built)
		}
		if got := on(t, host, `readlink -f "`+profile+`"; readlink "`+profile+`"`); !strings.HasPrefix(got, built+"\n") || !strings.Contains(got, fmt.Sprintf("-%d-link", result.Generation)) {
			t.Errorf("%s has the profile %q, want %s, generation %d", host, got, built, result.Generation)
		}
		if got := on(t, host, "git -C Code/nixcfg rev-parse HEAD"); got != rev {
			t.Errorf("%s has its checkout at %s, want %s", host, got, rev)
		}
		sameLog(t, first.run(), host)
		settled(t, host)
	}
	if owners := on(t, "m1", "find Code/nixcfg -not -user mba | head -n 3"); owners != "" {
		t.Errorf("files in the checkout are not the user's:\n%s", owners)
	}

	again := fleetctl(t, "deploy", "--all")
	again.exits(t, 0)
	for _, host := range []string{"m1", "m2", "m3"} {
		again.wants(t, host, fleet.Unchanged, "")
	}
}

func TestLabAFailedBuildChangesNothing(t *testing.T) {
	before := on(t, "m1", "readlink /run/current-system /nix/var/nix/profiles/system")
	push(t, "m1", "fail-build")
	r := fleetctl(t, "deploy", "m1,m2")
	r.exits(t, 1)
	result := r.wants(t, "m1", fleet.Failed, "build")
	if result.Step != fleet.Build || !strings.Contains(result.Reason, "nixos-system-m1") {
		t.Errorf("it failed in %q because %q", result.Step, result.Reason)
	}
	r.wants(t, "m2", fleet.Switched, "")
	if after := on(t, "m1", "readlink /run/current-system /nix/var/nix/profiles/system"); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
}

func TestLabAFailedUnitIsDegradedAndNamed(t *testing.T) {
	push(t, "m1", "fail-switch 4")
	r := fleetctl(t, "deploy", "m1")
	r.exits(t, 1)
	if result := r.wants(t, "m1", fleet.Degraded, "units"); !strings.Contains(result.Reason, "lab-unit.service") {
		t.Errorf("the unit is not named: %q", result.Reason)
	}
}

func TestLabARebootThatIsNeededIsAnOutcome(t *testing.T) {
	push(t, "m1", "fail-switch 100")
	r := fleetctl(t, "deploy", "m1")
	r.exits(t, 0)
	r.wants(t, "m1", fleet.RebootNeeded, "reboot")
}

func TestLabADirtyCheckoutIsLeftAlone(t *testing.T) {
	push(t, "m1", "")
	on(t, "m1", "echo '# mine' >>Code/nixcfg/flake.nix")
	defer on(t, "m1", "git -C Code/nixcfg checkout -q .")
	before := on(t, "m1", "git -C Code/nixcfg rev-parse HEAD; cat Code/nixcfg/flake.nix")
	r := fleetctl(t, "deploy", "m1")
	r.exits(t, 1)
	if result := r.wants(t, "m1", fleet.Failed, "dirty"); !strings.Contains(result.Reason, "flake.nix") || result.Hint == "" {
		t.Errorf("the file or the mend is not named: %q, %q", result.Reason, result.Hint)
	}
	if after := on(t, "m1", "git -C Code/nixcfg rev-parse HEAD; cat Code/nixcfg/flake.nix"); after != before {
		t.Errorf("it was touched:\n%s", after)
	}
}

func TestLabADivergedCheckoutIsLeftAlone(t *testing.T) {
	on(t, "m1", "cd Code/nixcfg && git pull -q && git -c user.name=m -c user.email=m@example.invalid commit -q --allow-empty -m mine")
	defer on(t, "m1", "git -C Code/nixcfg reset -q --hard HEAD~1")
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1")
	r.exits(t, 1)
	r.wants(t, "m1", fleet.Failed, "diverged")
}

func TestLabAHostWithoutNetworkIsUnreachableAndTheOthersGoOn(t *testing.T) {
	push(t, "m1", "")
	must(t, "cut", "m2")
	defer must(t, "heal", "m2")
	r := fleetctl(t, "deploy", "--all")
	r.exits(t, 3)
	r.wants(t, "m2", fleet.Unreachable, "offline")
	r.wants(t, "m1", fleet.Switched, "")
	r.wants(t, "m3", fleet.Switched, "")
}

// activations counts how often the activation of what m1 runs now was begun.
func activations(log []byte) int {
	return len(regexp.MustCompile(`(?m)^activating m1, `).FindAll(log, -1))
}

func TestLabAKilledOperatorLosesNothing(t *testing.T) {
	push(t, "m1", "slow-switch 10")
	cmd := operator("deploy", "m1", "--output", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	run := ""
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var e fleet.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		run = e.Run
		if strings.Contains(e.Line, "starting unit 2 of") {
			break
		}
	}
	_ = cmd.Process.Kill() // the lab's script became fleetctl by exec
	_ = cmd.Wait()

	r := fleetctl(t, "attach", run)
	r.exits(t, 0)
	r.wants(t, "m1", fleet.Switched, "")
	if log := sameLog(t, run, "m1"); activations(log) != 1 {
		t.Errorf("it was activated %d times", activations(log))
	}
	shown := 0
	for _, e := range r.events {
		if strings.Contains(e.Line, "starting unit ") {
			shown++
		}
	}
	if shown != 10 {
		t.Errorf("attach showed %d of the 10 lines of the activation", shown)
	}
	settled(t, "m1")
}

func TestLabALostNetworkIsWaitedFor(t *testing.T) {
	push(t, "m1", "slow-switch 20")
	var cut sync.WaitGroup
	cut.Go(func() {
		time.Sleep(4 * time.Second)
		must(t, "cut", "m1")
		time.Sleep(15 * time.Second)
		must(t, "heal", "m1")
	})
	r := fleetctl(t, "deploy", "m1")
	cut.Wait()
	r.exits(t, 0)
	r.wants(t, "m1", fleet.Switched, "")
	if log := sameLog(t, r.run(), "m1"); activations(log) != 1 {
		t.Errorf("it was activated %d times", activations(log))
	}
}

func TestLabALoginShellWithOddHabitsChangesNothing(t *testing.T) {
	on(t, "m1", `mkdir -p .config/fish && cat >.config/fish/config.fish <<'EOF'
function cd; echo "no way"; false; end
alias git "echo not this git"
echo "welcome to $hostname"
EOF`)
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1")
	on(t, "m1", "rm -r .config/fish")
	r.exits(t, 0)
	r.wants(t, "m1", fleet.Switched, "")
	sameLog(t, r.run(), "m1")
}

func TestLabASecondOperatorIsToldOfTheFirst(t *testing.T) {
	push(t, "m1", "slow-switch 6")
	first := make(chan report)
	go func() { first <- fleetctl(t, "deploy", "m1") }()
	activating := func(log string) bool {
		return strings.Contains(log, "step activate start") && !strings.Contains(log, " end ")
	}
	const log = "cat $(ls -1td .local/state/fleetctl/jobs/*/ | head -n 1)log; true"
	for begun := time.Now(); !activating(on(t, "m1", log)); time.Sleep(100 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatal("it never came to the activation")
		}
	}
	second := fleetctl(t, "deploy", "m1")
	second.exits(t, 1)
	if result := second.wants(t, "m1", fleet.Failed, "locked"); !strings.Contains(result.Reason, "activate") {
		t.Errorf("it is not told what goes on: %q", result.Reason)
	}
	r := <-first
	r.exits(t, 0)
	r.wants(t, "m1", fleet.Switched, "")
}

func TestLabCancelEndsABuildWithAllItsChildren(t *testing.T) {
	push(t, "m1", "slow-build 60")
	first := make(chan report)
	go func() { first <- fleetctl(t, "deploy", "m1") }()
	for on(t, "m1", "pgrep -f 'nix --extra' >/dev/null && echo yes; true") != "yes" {
		time.Sleep(200 * time.Millisecond)
	}
	if out, err := operator("cancel").CombinedOutput(); err != nil {
		t.Errorf("cancel: %v\n%s", err, out)
	}
	r := <-first
	r.exits(t, 1)
	r.wants(t, "m1", fleet.Cancelled, "cancelled")
	settled(t, "m1")
	if left := on(t, "m1", "pgrep -u mba -fl 'nix --extra' || true"); left != "" {
		t.Errorf("still running:\n%s", left)
	}
}

func TestLabAPowerCutDuringTheBuildIsTold(t *testing.T) {
	push(t, "m2", "slow-build 30")
	first := make(chan report)
	go func() { first <- fleetctl(t, "deploy", "m2") }()
	time.Sleep(4 * time.Second)
	must(t, "kill", "m2")
	must(t, "boot", "m2")
	r := <-first
	r.exits(t, 1)
	r.wants(t, "m2", fleet.Failed, "died")
	sameLog(t, r.run(), "m2")
	settled(t, "m2")
}

func TestLabSudoThatWantsAPasswordIsSaid(t *testing.T) {
	on(t, "m1", `sudo sh -c 'echo "mba ALL=(ALL) ALL" >/etc/sudoers.d/mba; echo mba:geheim | chpasswd'`)
	defer func() {
		on(t, "m1", `echo geheim | sudo -S -p '' sh -c 'echo "mba ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/mba'`)
	}()
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1")
	r.exits(t, 1)
	if result := r.wants(t, "m1", fleet.Failed, "sudo-password"); result.Hint == "" {
		t.Error("it does not say what to do")
	}
	settled(t, "m1")
}
