//go:build lab

package lab_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// runs is the number of random runs. For many of them, or for the same ones again:
//
//	go test -tags lab ./internal/lab -run RandomRuns -timeout 120m -v -runs 500 -seed 1
var runs = flag.Int("runs", 24, "do `N` random runs")

// A trial is one random run on one host: what it deploys, and what happens meanwhile. It follows
// from the seed and its number.
type trial struct {
	number   int
	verb     []string // of fleetctl, without the host
	words    []string // directives of the configuration, see testdata/lab/flake
	obstacle string   // "dirty", "untracked" or "unlocked"
	victim   string   // what is killed or cut, or ""
	after    time.Duration
	outage   time.Duration // of the network
}

// drawTrial returns the trial with the given number, for a host of the kind.
func drawTrial(number int, kind string) trial {
	random := rand.New(rand.NewPCG(*seed, uint64(number)))
	chance := func(percent int) bool { return random.IntN(100) < percent }
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	tr := trial{number: number, verb: []string{"deploy"}}
	switch n := random.IntN(100); {
	case n < 7:
		tr.verb = []string{"rollback"}
	case n < 12:
		tr.verb = []string{"pull"}
	case n < 17:
		tr.verb = []string{"deploy", "--goal", "build"}
	case n < 23:
		tr.verb = []string{"deploy", "--goal", "boot"}
	case n < 32:
		tr.verb = []string{"deploy", "--goal", "test"}
	case n < 36:
		tr.verb = []string{"deploy", "--confirm", "self"}
	}
	if kind == "home" && (slices.Contains(tr.verb, "boot") || slices.Contains(tr.verb, "test")) {
		tr.verb = []string{"deploy"} // these goals are for machines
	}
	if chance(30) {
		tr.words = append(tr.words, "slow-build 1")
	}
	if chance(50) {
		tr.words = append(tr.words, fmt.Sprintf("slow-switch %d", 1+random.IntN(2)))
	}
	if chance(50) {
		tr.words = append(tr.words, pick("fail-build", "fail-check", "die-switch", "fail-switch 1", "fail-switch 2", "fail-switch 4",
			"fail-switch 4", "fail-switch 11", "fail-switch 100", "cut-ssh", "new-kernel", "new-kernel"))
	}
	if chance(12) {
		tr.obstacle = pick("dirty", "untracked", "unlocked")
	}
	if chance(65) {
		tr.victim = pick("operator", "interrupt", "cancel", "job", "root", "both", "network", "host")
	}
	tr.after = time.Duration(random.IntN(4500)) * time.Millisecond
	tr.outage = time.Duration(500+random.IntN(8000)) * time.Millisecond
	return tr
}

func (tr trial) String() string {
	return fmt.Sprintf("run %d: %s, words %q, obstacle %q, victim %q after %v (outage %v)", tr.number, strings.Join(tr.verb, " "),
		strings.Join(tr.words, "; "), tr.obstacle, tr.victim, tr.after, tr.outage)
}

// A labHost is a host with a branch, an inventory and records of its own, so that trials on several
// hosts do not depend on each other.
type labHost struct {
	name, kind string
	clone      string // of the repository, on its branch
	state      string // of the operator
	inventory  string
}

func newLabHost(t *testing.T, name, kind string) *labHost {
	t.Helper()
	dir := t.TempDir()
	h := &labHost{name: name, kind: kind, clone: filepath.Join(dir, "clone"), state: filepath.Join(dir, "state"), inventory: filepath.Join(dir, "hosts.toml")}
	h.git(t, "", "clone", "-q", filepath.Join(lab.dir, "served/nixcfg.git"), h.clone)
	h.git(t, h.clone, "checkout", "-q", "-b", "random-"+name)
	attr := name
	if kind == "home" {
		attr = "mba@" + name
	}
	text := fmt.Sprintf("[fleet]\nname = \"lab\"\nremote = \"git://10.78.0.1/nixcfg.git\"\nbranch = \"random-%s\"\n\n"+
		"[hosts.%s]\nkind = %q\nattr = %q\nrepo = \"~/Code/nixcfg\"\ntimeouts = { connect = \"5s\", reconnect = \"90s\" }\n", name, name, kind, attr)
	if err := os.WriteFile(h.inventory, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	h.push(t, nil, false)
	onHost(t, name, fmt.Sprintf("cd Code/nixcfg && git fetch -q && git checkout -q -f -B random-%s origin/random-%s && git clean -qfdx", name, name))
	t.Cleanup(func() {
		onHost(t, name, "cd Code/nixcfg && git checkout -q -f main && git clean -qfdx && git pull -q")
	})
	return h
}

func (h *labHost) git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=lab", "-c", "user.email=lab@example.invalid"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// push commits the host's next configuration and returns the commit.
func (h *labHost) push(t *testing.T, words []string, unlocked bool) string {
	t.Helper()
	flake, err := os.ReadFile("testdata/lab/flake/flake.nix")
	if err != nil {
		t.Fatal(err)
	}
	if unlocked {
		const input = "  inputs.extra = {\n    url = \"git://10.78.0.1/nixcfg.git?ref=main\";\n    flake = false;\n  };\n"
		flake = bytes.Replace(flake, []byte("  outputs =\n"), []byte(input+"  outputs =\n"), 1)
	}
	for name, text := range map[string][]byte{"flake.nix": flake, "machines/" + h.name: []byte(strings.Join(words, "\n") + "\n")} {
		if err := os.WriteFile(filepath.Join(h.clone, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return h.commit(t)
}

// commit commits what is in the clone, and returns the commit.
func (h *labHost) commit(t *testing.T) string {
	t.Helper()
	h.git(t, h.clone, "add", "-A", ".")
	h.git(t, h.clone, "commit", "-q", "--allow-empty", "-m", "next")
	h.git(t, h.clone, "push", "-q", "-f", "origin", "HEAD")
	return h.git(t, h.clone, "rev-parse", "HEAD")
}

// fleetctl returns a call of fleetctl as the host's operator.
func (h *labHost) fleetctl(args ...string) *exec.Cmd {
	return labCommand(append([]string{"op", "env", "XDG_STATE_HOME=" + h.state, lab.fleetctl, "--inventory", h.inventory}, args...)...)
}

// A look is what testdata/lab/look prints: what the host really runs.
type look map[string]string

// look looks at the host. It returns nil if no login works.
func (h *labHost) look(t *testing.T) look {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, lab.script, "look", h.name, h.kind)
	cmd.WaitDelay = time.Second // for its ssh
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	seen := look{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		seen[key] = value
	}
	return seen
}

// settle returns what the host runs once no job is left, or after 15 s.
func (h *labHost) settle(t *testing.T) look {
	t.Helper()
	var seen look
	for range 30 {
		if seen = h.look(t); seen != nil && seen["lock"] == "" && seen["processes"] == "0" {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	return seen
}

// reset brings the host to a healthy configuration and a clean checkout, whatever the trial before
// left.
func (h *labHost) reset(t *testing.T) {
	t.Helper()
	runLab(t, "heal", h.name)
	if h.look(t) == nil {
		runLab(t, "kill", h.name)
		runLab(t, "boot", h.name)
	}
	onHost(t, h.name, fmt.Sprintf("cd Code/nixcfg && git fetch -q && git checkout -q -f -B random-%s origin/random-%s && git clean -qfdx", h.name, h.name))
	h.push(t, nil, false)
	if out, err := h.fleetctl("deploy", h.name).CombinedOutput(); err != nil {
		t.Fatalf("a deploy without faults: %v\n%s", err, out)
	}
}

// TestRandomRunsAgreeWithHosts does random runs on several hosts at once. After each, it compares
// the outcome, the record and fleetctl status with what an independent script sees on the host.
func TestRandomRunsAgreeWithHosts(t *testing.T) {
	t.Logf("-seed %d -runs %d", *seed, *runs)
	hosts := []*labHost{newLabHost(t, "m1", "nixos"), newLabHost(t, "m2", "nixos"), newLabHost(t, "m3", "home")}
	tally := map[string]int{}
	contradictions := 0
	var mu sync.Mutex
	t.Run("hosts", func(t *testing.T) {
		for n, h := range hosts {
			t.Run(h.name, func(t *testing.T) {
				t.Parallel()
				h.reset(t)
				for number := n; number < *runs; number += len(hosts) {
					tr := drawTrial(number, h.kind)
					drawn := tr.String()
					start := time.Now()
					outcome, found := tr.run(t, h)
					t.Logf("%s: %s, %v", drawn, outcome, time.Since(start).Round(time.Second))
					mu.Lock()
					tally[outcome+", "+cmp.Or(tr.victim, "undisturbed")]++
					contradictions += len(found)
					stop := contradictions > 20
					mu.Unlock()
					if len(found) > 0 {
						t.Errorf("-seed %d, %s on %s: %s:\n  %s", *seed, drawn, h.name, outcome, strings.Join(found, "\n  "))
						h.reset(t)
					}
					if stop {
						return
					}
				}
			})
		}
	})
	var lines []string
	for what, n := range tally {
		lines = append(lines, fmt.Sprintf("%4d %s", n, what))
	}
	slices.Sort(lines)
	t.Logf("-seed %d: %d runs, %d contradictions; outcome and victim:\n%s", *seed, *runs, contradictions, strings.Join(lines, "\n"))
}

// run carries out the trial and returns its outcome and every contradiction.
func (tr *trial) run(t *testing.T, h *labHost) (outcome string, contradictions []string) {
	rev := h.push(t, tr.words, tr.obstacle == "unlocked")
	switch tr.obstacle {
	case "dirty":
		onHost(t, h.name, "echo '# mine' >>Code/nixcfg/make.sh")
	case "untracked":
		onHost(t, h.name, "echo mine >Code/nixcfg/mine")
	}
	before := h.look(t)
	if before == nil {
		return "no look", []string{"cannot log in before the run"}
	}
	run, stderr := tr.deploy(t, h)
	if run == "" {
		contradictions := tr.unchanged(before, h.settle(t))
		if tr.victim != "operator" && tr.victim != "interrupt" {
			contradictions = append(contradictions, "nothing started: "+stderr)
		}
		tr.restore(t, h)
		return "nothing started", contradictions
	}
	result, facts := h.attach(t, run)
	after := h.settle(t)
	defer tr.restore(t, h)
	if after == nil {
		return "no look", []string{fmt.Sprintf("the result is %+v, but no login works", result)}
	}
	if result == nil {
		return "no result", []string{"attach reports no result"}
	}
	contradictions = slices.Concat(tr.compareOutcome(h, result, facts, before, after), tr.compareStatus(t, h, result, after, rev),
		h.compareRecord(t, run, result))
	if len(contradictions) > 0 {
		contradictions = append(contradictions, fmt.Sprintf("result %+v", *result), fmt.Sprintf("built %s, run %s", facts["built"], run),
			fmt.Sprintf("before %v", before), fmt.Sprintf("after  %v", after))
		_ = os.CopyFS(filepath.Join(os.TempDir(), "random-runs", run), os.DirFS(filepath.Join(h.state, "fleetctl/runs", run)))
	}
	return strings.TrimSpace(string(result.Outcome) + " " + string(result.Code)), contradictions
}

// restore removes the obstacle.
func (tr trial) restore(t *testing.T, h *labHost) {
	t.Helper()
	switch tr.obstacle {
	case "dirty":
		onHost(t, h.name, "git -C Code/nixcfg checkout -q .")
	case "untracked":
		onHost(t, h.name, "rm Code/nixcfg/mine")
	}
}

// deploy starts the run, disturbs it, and waits until fleetctl exits. It returns the ID of the run,
// or "" if it started none, and what it printed on standard error.
func (tr *trial) deploy(t *testing.T, h *labHost) (run, stderr string) {
	args := append(slices.Clone(tr.verb), h.name, "--output", "json", "--yes")
	if tr.verb[0] != "pull" {
		args = append(args, "--confirm-timeout", "6s")
	}
	cmd := h.fleetctl(args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(4*time.Minute, func() { _ = cmd.Process.Kill() })
	defer overdue.Stop()
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var e fleet.Event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				run = e.Run
			}
		}
	}()
	select {
	case <-exited:
		tr.victim = "" // what happens after the run is not part of it
	case <-time.After(tr.after):
		tr.disturb(t, h, cmd.Process)
	}
	<-exited
	_ = cmd.Wait()
	return run, errs.String()
}

// disturb kills or cuts the victim. Nothing happens if there is none at this moment.
func (tr trial) disturb(t *testing.T, h *labHost, operator *os.Process) {
	t.Helper()
	kill := func(pattern string) {
		_ = labCommand("on", h.name, "sudo pkill -KILL -f '"+pattern+"'").Run()
	}
	switch tr.victim {
	case "operator":
		_ = operator.Kill()
	case "interrupt":
		_ = operator.Signal(syscall.SIGINT)
		time.Sleep(100 * time.Millisecond)
		_ = operator.Signal(syscall.SIGINT)
	case "cancel":
		_ = h.fleetctl("cancel").Run()
	case "job":
		kill(`[j]ob\.sh`)
	case "root":
		kill(`[r]oot\.sh`)
	case "both":
		kill(`[jr]o[bo]t*\.sh`)
	case "network":
		runLab(t, "cut", h.name)
		time.Sleep(tr.outage)
		runLab(t, "heal", h.name)
	case "host":
		runLab(t, "kill", h.name)
		runLab(t, "boot", h.name)
	}
}

// attach shows the run until the host has a final outcome, and returns its result and the facts
// about it.
func (h *labHost) attach(t *testing.T, run string) (*fleet.Result, map[string]string) {
	t.Helper()
	var r report
	for range 3 {
		r = awaitReport(t, h.fleetctl("attach", run, "--output", "json"))
		if result := r.results[h.name]; result != nil && result.Outcome.Terminal() {
			break
		}
	}
	return r.results[h.name], r.facts[h.name]
}

// unchanged returns how the host differs from before. If it was restarted, it runs its profile.
func (tr trial) unchanged(before, after look) (differences []string) {
	for _, key := range []string{"running", "activation", "profile", "generation", "stray", "failed"} {
		want := before[key]
		if tr.victim == "host" && before["kind"] == "nixos" {
			switch key {
			case "running", "activation":
				want = before["profile"]
			case "failed":
				want = ""
			}
		}
		if after[key] != want {
			differences = append(differences, fmt.Sprintf("%s is %q, want %q as before", key, after[key], want))
		}
	}
	return differences
}

// compareOutcome compares the result with what the host runs.
func (tr trial) compareOutcome(h *labHost, r *fleet.Result, facts map[string]string, before, after look) (found []string) {
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	want := func(key, value string) {
		if after[key] != value {
			report("%s is %q, want %q", key, after[key], value)
		}
	}
	built := facts["built"]
	want("lock", "")
	want("processes", "0")
	if tr.victim == "host" && after["rebooted"] == "yes" {
		return found // the run ended just before, and its result says what ran then
	}
	switch r.Outcome {
	case fleet.Unchanged, fleet.Built, fleet.Pulled, fleet.Failed, fleet.Cancelled, fleet.Skipped, fleet.Unreachable:
		found = append(found, tr.unchanged(before, after)...)
	case fleet.RolledBack:
		found = append(found, tr.unchanged(before, after)...)
		want("activation", after["running"])
	case fleet.Switched:
		want("running", built)
		want("activation", built)
		if after["failed"] != "" { // units that had failed before are not this run's
			want("failed", before["failed"])
		}
		want("stray", "0")
		if slices.Contains(tr.verb, "test") && h.kind != "home" {
			want("profile", before["profile"])
		} else {
			want("profile", built)
		}
	case fleet.RebootNeeded:
		want("profile", built)
		if after["running"] != built {
			want("running", before["running"])
		} else if tr.victim != "host" {
			want("kernel", "new")
		}
	case fleet.Degraded:
		if after["running"] != built && !strings.Contains(r.Reason, after["running"]) {
			report("the reason does not name the running %s", after["running"])
		}
		if r.Code == fleet.CodeUnits && !strings.Contains(r.Reason, after["failed"]) {
			report("the reason does not name the failed units %s", after["failed"])
		}
	default:
		report("the outcome is not final")
	}
	if r.After != "" && r.After != after["revision"] {
		report("the result has the revision %s, the host runs %s", r.After, after["revision"])
	}
	// A host that was restarted before its job looked ran its profile by then.
	restarted := tr.victim == "host" && before["running"] != before["profile"]
	if r.Before != "" && r.Before != before["revision"] && !restarted {
		report("the result has the revision before %s, the host ran %s", r.Before, before["revision"])
	}
	if r.Outcome == fleet.Switched && r.After == "" {
		report("the result has no revision")
	}
	if r.Generation != 0 && fmt.Sprint(r.Generation) != after["generation"] {
		report("the result has generation %d, the host %s", r.Generation, after["generation"])
	}
	if tr.obstacle == "dirty" || tr.obstacle == "untracked" {
		want("changes", "1")
	} else {
		want("changes", "0")
	}
	return found
}

// compareStatus compares fleetctl status with what the host runs.
func (tr trial) compareStatus(t *testing.T, h *labHost, r *fleet.Result, after look, rev string) (found []string) {
	out, _ := h.fleetctl("status", h.name, "--output", "json").Output()
	var status struct {
		State  string
		Wanted string
		Drift  []struct{ Code string }
		Health *struct {
			System struct {
				Deployed, Profile, Revision string
				Generation                  int
				RebootNeeded                bool `json:"reboot_needed"`
				BootPending                 bool `json:"boot_pending"`
			}
			FailedUnits []string `json:"failed_units"`
			Job         *struct{ ID string }
			Checkout    *struct {
				Revision string
				Dirty    bool
			}
		}
	}
	if err := json.Unmarshal(out, &status); err != nil || status.Health == nil || status.Health.Checkout == nil {
		return []string{fmt.Sprintf("status: %v in %q", err, out)}
	}
	system := status.Health.System
	if system.Revision == "" && h.kind == "home" && r.Outcome != fleet.Switched {
		system.Revision = after["revision"] // a home does not know it
	}
	failed := after["failed"]
	if h.kind == "home" {
		failed = "" // units are the machine's matter
	}
	generation := ""
	if system.Generation != 0 {
		generation = fmt.Sprint(system.Generation)
	}
	running := after["running"]
	if h.kind == "home" {
		running = after["profile"] // whether the links are the profile's is the outcome's matter
	}
	for _, figure := range []struct{ name, got, want string }{
		{"system", system.Deployed, running},
		{"profile", cmp.Or(system.Profile, after["profile"]), after["profile"]},
		{"generation", generation, after["generation"]},
		{"revision", system.Revision, after["revision"]},
		{"failed units", strings.Join(status.Health.FailedUnits, ","), failed},
		{"checkout", status.Health.Checkout.Revision, after["head"]},
		{"dirty", fmt.Sprint(status.Health.Checkout.Dirty), fmt.Sprint(tr.obstacle == "dirty")},
		{"target", status.Wanted, rev},
		{"job", fmt.Sprint(status.Health.Job != nil), "false"},
		{"pending boot", fmt.Sprint(system.BootPending), fmt.Sprint(h.kind != "home" && after["profile"] != running)},
		{"needed reboot", fmt.Sprint(system.RebootNeeded), fmt.Sprint(h.kind != "home" && after["kernel"] == "new")},
	} {
		if figure.got != figure.want {
			found = append(found, fmt.Sprintf("status has the %s %q, want %q", figure.name, figure.got, figure.want))
		}
	}
	outdated := slices.ContainsFunc(status.Drift, func(d struct{ Code string }) bool { return d.Code == "outdated" || d.Code == "unknown" })
	if known := status.Health.System.Revision != ""; known && outdated != (after["revision"] != rev) {
		found = append(found, fmt.Sprintf("status has the drift %v, but the host runs %s and the target is %s", status.Drift, after["revision"], rev))
	}
	if !r.Outcome.Good() && status.State == "current" {
		found = append(found, "status calls a host current whose last run ended as "+string(r.Outcome))
	}
	return found
}

// compareRecord compares the record of the run with its result and with the host's log.
func (h *labHost) compareRecord(t *testing.T, run string, r *fleet.Result) (found []string) {
	recorded := awaitReport(t, h.fleetctl("history", run, "--output", "json")).results[h.name]
	if recorded == nil || !reflect.DeepEqual(recorded, r) {
		found = append(found, fmt.Sprintf("the record has %+v", recorded))
	}
	original, err := labCommand("on", h.name, "cat .local/state/fleetctl/jobs/"+run+"."+h.name+"/log").Output()
	if err != nil {
		return found // no job was started, or the host forgot it
	}
	if log, err := os.ReadFile(filepath.Join(h.state, "fleetctl/runs", run, "hosts", h.name+".log")); err != nil || !bytes.Equal(log, original) {
		found = append(found, fmt.Sprintf("the recorded log (%d bytes, %v) is not the host's (%d bytes)", len(log), err, len(original)))
	}
	return found
}
