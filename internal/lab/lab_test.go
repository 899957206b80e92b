//go:build lab

package lab_test

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

// labHosts is the number of hosts that TestMain boots. In the lab's inventory m1 and m2 are
// machines, and m3 is a home.
const labHosts = "3"

var lab = struct {
	script, dir, fleetctl string
}{script: "testdata/lab/lab"}

// TestMain boots the lab once for all tests. Paths are relative to the module's root.
func TestMain(m *testing.M) { os.Exit(runInLab(m)) }

// runInLab builds fleetctl, boots the lab, runs the tests and shuts the lab down. It returns the
// exit code.
func runInLab(m *testing.M) int {
	if err := os.Chdir("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	build, err := os.MkdirTemp("", "fleetctl")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(build)
	lab.fleetctl = filepath.Join(build, "fleetctl")
	for _, step := range [][]string{{"go", "build", "-o", lab.fleetctl, "./cmd/fleetctl"}, {lab.script, "up", labHosts}} {
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

// labCommand returns a call of the lab's script.
func labCommand(args ...string) *exec.Cmd { return exec.Command(lab.script, args...) }

// runLab runs the lab's script and returns its output.
func runLab(t *testing.T, args ...string) string {
	t.Helper()
	out, err := labCommand(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("lab %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// onHost runs a script in sh on a host, whose login shell is fish, and returns its output.
func onHost(t *testing.T, host, script string) string {
	t.Helper()
	cmd := labCommand("on", host, "exec /bin/sh -s")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("on %s: %s: %v\n%s", host, script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// push commits words for a host's next configuration (see testdata/lab/flake) and returns the
// commit. Other hosts keep theirs.
func push(t *testing.T, host, words string) string {
	t.Helper()
	return runLab(t, "push", host, words)
}

// A report is the output of a run of fleetctl with --output json.
type report struct {
	exit    int
	events  []fleet.Event
	results map[string]*fleet.Result
	facts   map[string]map[string]string
	stderr  string
}

// run returns the run's ID.
func (r report) run() string { return r.events[0].Run }

// fleetctlCommand returns a call of fleetctl as the lab's operator.
func fleetctlCommand(args ...string) *exec.Cmd {
	return labCommand(append([]string{"op", lab.fleetctl}, args...)...)
}

// fleetctl runs a command of fleetctl and returns its report.
func fleetctl(t *testing.T, args ...string) report {
	t.Helper()
	return awaitReport(t, fleetctlCommand(append(args, "--output", "json")...))
}

// awaitReport runs a command that reports in JSON and returns its report.
func awaitReport(t *testing.T, cmd *exec.Cmd) report {
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

// readReport parses the events of a run.
func readReport(t *testing.T, out *bytes.Buffer) report {
	t.Helper()
	r := report{results: map[string]*fleet.Result{}, facts: map[string]map[string]string{}}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e fleet.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%q is not an event: %v", lines.Text(), err)
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

// expect asserts a host's outcome and code, and returns its result.
func (r report) expect(t *testing.T, host string, outcome fleet.Outcome, code fleet.Code) *fleet.Result {
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

// expectExit asserts the exit code.
func (r report) expectExit(t *testing.T, code int) {
	t.Helper()
	if r.exit != code {
		t.Errorf("exit code %d, want %d\n%s", r.exit, code, r.stderr)
	}
}

// assertSameLog asserts that the record has the same log as the host, byte for byte, and returns
// it.
func assertSameLog(t *testing.T, run, host string) []byte {
	t.Helper()
	original, err := labCommand("on", host, "cat .local/state/fleetctl/jobs/"+run+"."+host+"/log").Output()
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := os.ReadFile(filepath.Join(lab.dir, "operator/state/fleetctl/runs", run, "hosts", host+".log"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(recorded, original) {
		t.Errorf("the recorded log of %s (%d bytes) differs from the host's (%d bytes)", host, len(recorded), len(original))
	}
	return original
}

// assertIdle asserts that no lock, no job and no root half is left on a host.
func assertIdle(t *testing.T, host string) {
	t.Helper()
	assertEventually(t, host, "", `ls .local/state/fleetctl/lock 2>/dev/null; ps -eo args= | grep -E 'job\.sh|root\.sh' | grep -v grep; true`)
}

// assertEventually asserts that a script prints want on a host within five seconds.
func assertEventually(t *testing.T, host, want, script string) {
	t.Helper()
	got := ""
	for range 50 {
		if got = onHost(t, host, script); got == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s: %s\nprints:\n%s\nwant:\n%s", host, script, got, want)
}

func TestDeploySwitchesEveryHostOnlyOnce(t *testing.T) {
	rev := push(t, "m1", "")
	first := fleetctl(t, "deploy", "--all")
	first.expectExit(t, 0)
	sources := map[string]bool{}
	for _, host := range []string{"m1", "m2", "m3"} {
		result := first.expect(t, host, fleet.Switched, "")
		sources[result.NarHash] = true
		if result.After != rev {
			t.Errorf("%s is at revision %q, want %q", host, result.After, rev)
		}
		built := first.facts[host]["built"]
		profile := "/nix/var/nix/profiles/system"
		if host == "m3" {
			profile = "$HOME/.local/state/nix/profiles/home-manager"
		} else if got := onHost(t, host, "readlink /run/current-system"); got != built {
			t.Errorf("%s runs %s, want the built %s", host, got, built)
		}
		if got := onHost(t, host, `readlink -f "`+profile+`"; readlink "`+profile+`"`); !strings.HasPrefix(got, built+"\n") || !strings.Contains(got, fmt.Sprintf("-%d-link", result.Generation)) {
			t.Errorf("%s has the profile %q, want %s, generation %d", host, got, built, result.Generation)
		}
		if got := onHost(t, host, "git -C Code/nixcfg rev-parse HEAD"); got != rev {
			t.Errorf("%s has its checkout at %s, want %s", host, got, rev)
		}
		assertSameLog(t, first.run(), host)
		assertIdle(t, host)
	}
	if len(sources) != 1 || sources[""] {
		t.Errorf("the hosts have built from files with the hashes %v", sources)
	}
	if owners := onHost(t, "m1", "find Code/nixcfg -not -user mba | head -n 3"); owners != "" {
		t.Errorf("files in the checkout do not belong to the login user:\n%s", owners)
	}

	again := fleetctl(t, "deploy", "--all")
	again.expectExit(t, 0)
	for _, host := range []string{"m1", "m2", "m3"} {
		again.expect(t, host, fleet.Unchanged, "")
	}
}

func TestFailedBuildLeavesHostUnchanged(t *testing.T) {
	before := onHost(t, "m1", "readlink /run/current-system /nix/var/nix/profiles/system")
	push(t, "m1", "fail-build")
	r := fleetctl(t, "deploy", "m1,m2")
	r.expectExit(t, 1)
	result := r.expect(t, "m1", fleet.Failed, "build")
	if result.Step != fleet.Build || !strings.Contains(result.Reason, "nixos-system-m1") {
		t.Errorf("failed in step %q: %q, want the build of nixos-system-m1", result.Step, result.Reason)
	}
	r.expect(t, "m2", fleet.Switched, "")
	if after := onHost(t, "m1", "readlink /run/current-system /nix/var/nix/profiles/system"); after != before {
		t.Errorf("the system changed from\n%s\nto\n%s", before, after)
	}
}

func TestFailedUnitMakesHostDegraded(t *testing.T) {
	push(t, "m1", "fail-switch 4")
	r := fleetctl(t, "deploy", "m1")
	r.expectExit(t, 1)
	if result := r.expect(t, "m1", fleet.Degraded, "units"); !strings.Contains(result.Reason, "lab-unit.service") {
		t.Errorf("the reason does not name the unit: %q", result.Reason)
	}
}

func TestPendingRebootIsReported(t *testing.T) {
	push(t, "m1", "fail-switch 100")
	r := fleetctl(t, "deploy", "m1")
	r.expectExit(t, 0)
	r.expect(t, "m1", fleet.RebootNeeded, "reboot")
}

func TestDeployLeavesDirtyCheckoutUntouched(t *testing.T) {
	push(t, "m1", "")
	onHost(t, "m1", "echo '# mine' >>Code/nixcfg/flake.nix")
	defer onHost(t, "m1", "git -C Code/nixcfg checkout -q .")
	before := onHost(t, "m1", "git -C Code/nixcfg rev-parse HEAD; cat Code/nixcfg/flake.nix")
	r := fleetctl(t, "deploy", "m1")
	r.expectExit(t, 1)
	if result := r.expect(t, "m1", fleet.Failed, "dirty"); !strings.Contains(result.Reason, "flake.nix") || result.Hint == "" {
		t.Errorf("the reason does not name the file, or there is no hint: %q, %q", result.Reason, result.Hint)
	}
	if after := onHost(t, "m1", "git -C Code/nixcfg rev-parse HEAD; cat Code/nixcfg/flake.nix"); after != before {
		t.Errorf("the checkout changed:\n%s", after)
	}
}

func TestDeployRejectsDivergedCheckout(t *testing.T) {
	onHost(t, "m1", "cd Code/nixcfg && git pull -q && git -c user.name=m -c user.email=m@example.invalid commit -q --allow-empty -m mine")
	defer onHost(t, "m1", "git -C Code/nixcfg reset -q --hard HEAD~1")
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1")
	r.expectExit(t, 1)
	r.expect(t, "m1", fleet.Failed, "diverged")
}

func TestUnreachableHostDoesNotStopOthers(t *testing.T) {
	push(t, "m1", "")
	runLab(t, "cut", "m2")
	defer runLab(t, "heal", "m2")
	r := fleetctl(t, "deploy", "--all")
	r.expectExit(t, 3)
	r.expect(t, "m2", fleet.Unreachable, "offline")
	r.expect(t, "m1", fleet.Switched, "")
	r.expect(t, "m3", fleet.Switched, "")
}

// activations counts the activations of m1 in a log.
func activations(log []byte) int {
	return len(regexp.MustCompile(`(?m)^activating m1, `).FindAll(log, -1))
}

func TestAttachResumesAfterOperatorIsKilled(t *testing.T) {
	push(t, "m1", "slow-switch 10")
	cmd := fleetctlCommand("deploy", "m1", "--output", "json")
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
	_ = cmd.Process.Kill() // the lab's script has replaced itself with fleetctl
	_ = cmd.Wait()

	r := fleetctl(t, "attach", run)
	r.expectExit(t, 0)
	r.expect(t, "m1", fleet.Switched, "")
	if log := assertSameLog(t, run, "m1"); activations(log) != 1 {
		t.Errorf("m1 was activated %d times, want 1", activations(log))
	}
	shown := 0
	for _, e := range r.events {
		if strings.Contains(e.Line, "starting unit ") {
			shown++
		}
	}
	if shown != 10 {
		t.Errorf("attach shows %d of the 10 lines of the activation", shown)
	}
	assertIdle(t, "m1")
}

func TestDeploySurvivesNetworkOutage(t *testing.T) {
	push(t, "m1", "slow-switch 20")
	var cut sync.WaitGroup
	cut.Go(func() {
		time.Sleep(4 * time.Second)
		runLab(t, "cut", "m1")
		time.Sleep(15 * time.Second)
		runLab(t, "heal", "m1")
	})
	r := fleetctl(t, "deploy", "m1")
	cut.Wait()
	r.expectExit(t, 0)
	r.expect(t, "m1", fleet.Switched, "")
	if log := assertSameLog(t, r.run(), "m1"); activations(log) != 1 {
		t.Errorf("m1 was activated %d times, want 1", activations(log))
	}
}

func TestDeployIgnoresLoginShellConfiguration(t *testing.T) {
	onHost(t, "m1", `mkdir -p .config/fish && cat >.config/fish/config.fish <<'EOF'
function cd; echo "no way"; false; end
alias git "echo not this git"
echo "welcome to $hostname"
EOF`)
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1")
	onHost(t, "m1", "rm -r .config/fish")
	r.expectExit(t, 0)
	r.expect(t, "m1", fleet.Switched, "")
	assertSameLog(t, r.run(), "m1")
}

func TestSecondOperatorSeesWhoHoldsTheLock(t *testing.T) {
	push(t, "m1", "slow-switch 6")
	first := make(chan report)
	go func() { first <- fleetctl(t, "deploy", "m1") }()
	activating := func(log string) bool {
		return strings.Contains(log, "step activate start") && !strings.Contains(log, " end ")
	}
	const log = "cat $(ls -1td .local/state/fleetctl/jobs/*/ | head -n 1)log; true"
	for started := time.Now(); !activating(onHost(t, "m1", log)); time.Sleep(100 * time.Millisecond) {
		if time.Since(started) > time.Minute {
			t.Fatal("the activation never started")
		}
	}
	second := fleetctl(t, "deploy", "m1")
	second.expectExit(t, 1)
	if result := second.expect(t, "m1", fleet.Failed, "locked"); !strings.Contains(result.Reason, "activate") {
		t.Errorf("the reason does not name the step: %q", result.Reason)
	}
	r := <-first
	r.expectExit(t, 0)
	r.expect(t, "m1", fleet.Switched, "")
}

func TestCancelKillsBuildAndItsChildren(t *testing.T) {
	push(t, "m1", "slow-build 60")
	first := make(chan report)
	go func() { first <- fleetctl(t, "deploy", "m1") }()
	for onHost(t, "m1", "pgrep -f 'nix --extra' >/dev/null && echo yes; true") != "yes" {
		time.Sleep(200 * time.Millisecond)
	}
	if out, err := fleetctlCommand("cancel").CombinedOutput(); err != nil {
		t.Errorf("cancel: %v\n%s", err, out)
	}
	r := <-first
	r.expectExit(t, 1)
	r.expect(t, "m1", fleet.Cancelled, "cancelled")
	assertIdle(t, "m1")
	if left := onHost(t, "m1", "pgrep -u mba -fl 'nix --extra' || true"); left != "" {
		t.Errorf("still running:\n%s", left)
	}
}

func TestPowerLossDuringBuildIsReported(t *testing.T) {
	push(t, "m2", "slow-build 30")
	first := make(chan report)
	go func() { first <- fleetctl(t, "deploy", "m2") }()
	time.Sleep(4 * time.Second)
	runLab(t, "kill", "m2")
	runLab(t, "boot", "m2")
	r := <-first
	r.expectExit(t, 1)
	r.expect(t, "m2", fleet.Failed, "died")
	assertSameLog(t, r.run(), "m2")
	assertIdle(t, "m2")
}

func TestSudoPasswordIsReported(t *testing.T) {
	onHost(t, "m1", `sudo sh -c 'echo "mba ALL=(ALL) ALL" >/etc/sudoers.d/mba; echo mba:geheim | chpasswd'`)
	defer func() {
		onHost(t, "m1", `echo geheim | sudo -S -p '' sh -c 'echo "mba ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/mba'`)
	}()
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1")
	r.expectExit(t, 1)
	if result := r.expect(t, "m1", fleet.Failed, "sudo-password"); result.Hint == "" {
		t.Error("the result has no hint")
	}
	assertIdle(t, "m1")
}
