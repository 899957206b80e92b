//go:build lab

package main_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

const agentService = "nix/fleetctl-agent.service"

// installAgent puts the binary and the unit files on m1 as they are shipped, and returns the socket as it is reached from here.
func installAgent(t *testing.T) (socket string) {
	t.Helper()
	fleetctl(t, "deploy", "m1").exits(t, 0)
	root := filepath.Join("/proc", must(t, "pid", "m1"), "root")
	binary := filepath.Join(t.TempDir(), "fleetctl")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // the sandbox maps no library
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	on(t, "m1", "sudo systemctl stop fleetctl-agent.socket fleetctl-agent.service 2>/dev/null || :")
	for from, to := range map[string]string{
		binary:                        "/usr/local/bin/fleetctl",
		agentService:                  "/etc/systemd/system/fleetctl-agent.service",
		"nix/fleetctl-agent.socket":   "/etc/systemd/system/fleetctl-agent.socket",
		"nix/fleetctl-agent.sysusers": "/etc/sysusers.d/fleetctl-agent.conf",
	} {
		if out, err := exec.Command("install", "-D", "-m", "755", from, root+to).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	on(t, "m1", "sudo chmod 644 /etc/systemd/system/fleetctl-agent.* && sudo systemd-sysusers && sudo systemctl daemon-reload && sudo systemctl start fleetctl-agent.socket")
	return root + health.Socket
}

func askAgent(t *testing.T, socket string) *health.Health {
	t.Helper()
	client := health.NewAgentClient(health.DialSocket(socket))
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	h, err := client.Health(ctx)
	if err != nil {
		t.Fatalf("%v\n%s", err, on(t, "m1", "sudo journalctl -n 30 --no-pager -u fleetctl-agent || :"))
	}
	return h
}

func agentState(t *testing.T) string {
	t.Helper()
	return on(t, "m1", "systemctl is-active fleetctl-agent.service || :")
}

func TestLabTheAgentIsThereForTheFirstWhoAsksAndThenLeaves(t *testing.T) {
	socket := installAgent(t)
	if state := agentState(t); state != "inactive" {
		t.Errorf("nobody has asked, and the agent is %s", state)
	}
	began := time.Now()
	h := askAgent(t, socket)
	t.Logf("the first answer took %v", time.Since(began)) // a figure for people: a machine under load proves nothing
	if h.Host != "m1" || h.Kind != "nixos" || h.Memory == nil || h.BootID == "" ||
		h.System.Deployed != on(t, "m1", "readlink -f /run/current-system") {
		t.Errorf("got %+v", h)
	}
	if out := on(t, "m1", "sudo fleetctl check --local"); !strings.Contains(out, "group fleetctl may connect (mode 0660)") || !strings.Contains(out, "answers for m1") {
		t.Errorf("check --local said %q", out)
	}
	if out, err := command("on", "m1", "fleetctl check --local").CombinedOutput(); err == nil || !strings.Contains(string(out), "may not connect") {
		t.Errorf("mba is in no group, and was told %s", out)
	}
	for range 45 {
		if agentState(t) == "inactive" {
			askAgent(t, socket) // and the socket is still there
			return
		}
		time.Sleep(time.Second)
	}
	t.Errorf("45 s later the agent is %s", agentState(t))
}

func TestLabTheAgentNamesAUnitThatFailed(t *testing.T) {
	socket := installAgent(t)
	on(t, "m1", "sudo systemd-run --quiet --unit=lab-broken --wait false || :")
	defer on(t, "m1", "sudo systemctl reset-failed lab-broken.service")
	if h := askAgent(t, socket); !slices.Contains(h.FailedUnits, "lab-broken.service") || h.NoUnits != "" {
		t.Errorf("failed are %q; %s", h.FailedUnits, h.NoUnits)
	}
}

func TestLabTheTableShowsTheAgentsFiguresAndThenTheProbes(t *testing.T) {
	installAgent(t)
	on(t, "m1", "sudo usermod -aG fleetctl mba")
	defer on(t, "m1", "sudo gpasswd -d mba fleetctl")
	table := func() *terminal {
		term := openTerminal(t, 120, 34, "testdata/lab/lab op env TERM=xterm-256color "+lab.fleetctl)
		term.shows(`m1 .*nixos`)
		term.press("g", "Enter")
		return term
	}
	term := table()
	term.shows(`runs .*agent \S+.*up`, `load|memory`)
	on(t, "m1", "sudo systemctl stop fleetctl-agent.socket fleetctl-agent.service")
	term.press("r")
	term.hides(`runs .*agent `)
	term.shows(`runs .*Nix 2.*up`)
	term.press("Escape", "q")
	term.shows(`exit status 0`)
}

// exposure is what systemd-analyze ends with: "→ Overall exposure level for fleetctl-agent.service: 0.2 SAFE".
var exposure = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

func TestLabTheAgentIsExposedToNextToNothing(t *testing.T) {
	installAgent(t)
	for _, look := range []string{
		"systemd-analyze security --no-pager fleetctl-agent.service",
		"systemd-analyze security --no-pager --offline=true /etc/systemd/system/fleetctl-agent.service",
	} {
		out := on(t, "m1", "sudo "+look)
		found := exposure.FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("%s said\n%s", look, out)
		}
		if level, err := strconv.ParseFloat(found[1], 64); err != nil || level > 0.6 {
			t.Errorf("%s: %s", look, found[0])
		}
	}
}

// sandboxed is systemd-run with the properties of the agent's service, as far as keep wants them.
func sandboxed(t *testing.T, keep func(key string) bool) string {
	t.Helper()
	text, err := os.ReadFile(agentService)
	if err != nil {
		t.Fatal(err)
	}
	_, service, _ := strings.Cut(string(text), "[Service]\n")
	run := "sudo systemd-run --quiet --wait --pipe --collect"
	for line := range strings.Lines(service) {
		line = strings.TrimSpace(line)
		key, _, property := strings.Cut(line, "=")
		if !property || strings.HasPrefix(line, "#") || !keep(key) {
			continue
		}
		run += " -p '" + line + "'"
	}
	return run + " -- "
}

// undo takes away what those who may leave behind in trying to.
const undo = "; sudo umount /mnt 2>/dev/null || :; sudo rm -f /x /etc/x /run/x /run/fleetctl-agent/x /tmp/x /var/tmp/x /dev/shm/x /nix/x"

func TestLabTheSandboxHolds(t *testing.T) {
	installAgent(t)
	// A shell to try things with takes what the agent is denied: to start programs.
	shell := sandboxed(t, func(key string) bool {
		return !slices.Contains([]string{"Type", "ExecStart", "User", "NoExecPaths", "ExecPaths", "Environment"}, key)
	})
	if out := on(t, "m1", shell+"/bin/sh -c 'echo works; readlink /run/current-system >/dev/null && echo reads'"); out != "works\nreads" {
		t.Fatalf("the probe itself does not work: %s", out)
	}
	on(t, "m1", "touch ~/secret; sudo touch /root/secret")
	defer on(t, "m1", "sudo rm -f ~/secret /root/secret")
	for what, try := range map[string]string{
		"read /home":        "ls /home/mba",
		"read /root":        "ls /root",
		"read /etc/shadow":  "cat /etc/shadow",
		"open a TCP socket": `/bin/bash -c "exec 3<>/dev/tcp/127.0.0.1/22"`,
		"write /":           "touch /x",
		"write /etc":        "touch /etc/x",
		"write /run":        "touch /run/x",
		"write at its own":  "touch /run/fleetctl-agent/x",
		"write /tmp":        "touch /tmp/x",
		"write /var/tmp":    "touch /var/tmp/x",
		"write /dev/shm":    "touch /dev/shm/x",
		"write /nix":        "touch /nix/x",
		"write anywhere":    `find / -path /proc -prune -o "(" -type f -o -type d ")" -writable -print 2>/dev/null | grep -m 3 .`,
		"become root":       "sudo -n true",
		"mount":             "mount -t tmpfs x /mnt",
		"see others":        "test -e /proc/1/status",
	} {
		// Root can, outside: it is the sandbox that keeps the agent from it, and not a mistake in the words.
		if out := on(t, "m1", "if sudo /bin/sh -c '"+try+"' 2>&1; then echo DONE; fi"+undo); !strings.HasSuffix(out, "DONE") {
			t.Errorf("root cannot %s, so that nothing is shown by trying:\n%s", what, out)
		}
		if out := on(t, "m1", "if "+shell+"/bin/sh -c '"+try+"' 2>&1; then echo DONE; fi"); strings.HasSuffix(out, "DONE") {
			t.Errorf("the agent can %s:\n%s", what, out)
		}
	}

	whole := sandboxed(t, func(key string) bool {
		return !slices.Contains([]string{"Type", "ExecStart", "User", "Environment"}, key)
	})
	if out := on(t, "m1", whole+"/usr/local/bin/fleetctl version"); !strings.HasPrefix(out, "fleetctl ") {
		t.Errorf("the agent itself does not start: %s", out)
	}
	if out := on(t, "m1", "if "+whole+"/bin/sh -c true 2>&1; then echo DONE; fi"); strings.HasSuffix(out, "DONE") {
		t.Error("the agent can start a shell")
	}
}

func TestLabAThousandRequestsAndASlowReaderLeaveTheAgentSmall(t *testing.T) {
	socket := installAgent(t)
	dial := health.DialSocket(socket)
	slow, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := slow.Write([]byte("GET /v1/watch?interval=1s HTTP/1.1\r\nHost: agent\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var answered, refused atomic.Int32
	for range 1000 {
		all.Go(func() {
			client := health.NewAgentClient(dial)
			defer client.Close()
			_, err := client.Health(t.Context())
			problem, is := err.(*health.Problem)
			switch {
			case err == nil:
				answered.Add(1)
			case is && problem.Status == http.StatusTooManyRequests:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if answered.Load() == 0 || answered.Load()+refused.Load() != 1000 {
		t.Errorf("%d were answered, %d refused", answered.Load(), refused.Load())
	}
	peak := on(t, "m1", `sudo sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB$/\1/p' /proc/$(systemctl show -P MainPID fleetctl-agent.service)/status`)
	if kib, err := strconv.Atoi(peak); err != nil || kib > 30_000_000/1024 {
		t.Errorf("it had %s KiB at its most: %v", peak, err)
	}
}
