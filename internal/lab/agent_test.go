//go:build lab

package lab_test

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

// installAgent installs the binary and the unit files on m1 as they are shipped, and returns the
// path of the socket on this machine.
func installAgent(t *testing.T) (socket string) {
	t.Helper()
	fleetctl(t, "deploy", "m1").expectExit(t, 0)
	root := filepath.Join("/proc", runLab(t, "pid", "m1"), "root")
	binary := filepath.Join(t.TempDir(), "fleetctl")
	build := exec.Command("go", "build", "-o", binary, "./cmd/fleetctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // the sandbox cannot map libraries
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	onHost(t, "m1", "sudo systemctl stop fleetctl-agent.socket fleetctl-agent.service 2>/dev/null || :")
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
	onHost(t, "m1", "sudo chmod 644 /etc/systemd/system/fleetctl-agent.* && sudo systemd-sysusers && sudo systemctl daemon-reload && sudo systemctl start fleetctl-agent.socket")
	return root + health.Socket
}

// askAgent returns the answer of the agent on m1.
func askAgent(t *testing.T, socket string) *health.Health {
	t.Helper()
	client := health.NewAgentClient(health.DialSocket(socket))
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	h, err := client.Health(ctx)
	if err != nil {
		t.Fatalf("%v\n%s", err, onHost(t, "m1", "sudo journalctl -n 30 --no-pager -u fleetctl-agent || :"))
	}
	return h
}

// agentState returns the state of the agent's service on m1, such as "active".
func agentState(t *testing.T) string {
	t.Helper()
	return onHost(t, "m1", "systemctl is-active fleetctl-agent.service || :")
}

func TestAgentStartsOnDemandAndExitsWhenIdle(t *testing.T) {
	socket := installAgent(t)
	if state := agentState(t); state != "inactive" {
		t.Errorf("before the first request the agent is %s, want inactive", state)
	}
	began := time.Now()
	h := askAgent(t, socket)
	t.Logf("the first answer took %v", time.Since(began)) // not asserted: it depends on the load
	if h.Host != "m1" || h.Kind != "nixos" || h.Memory == nil || h.BootID == "" ||
		h.System.Deployed != onHost(t, "m1", "readlink -f /run/current-system") {
		t.Errorf("the agent answers %+v", h)
	}
	if out := onHost(t, "m1", "sudo fleetctl check --local"); !strings.Contains(out, "group fleetctl may connect (mode 0660)") || !strings.Contains(out, "answers for m1") {
		t.Errorf("check --local printed %q", out)
	}
	if out, err := labCommand("on", "m1", "fleetctl check --local").CombinedOutput(); err == nil || !strings.Contains(string(out), "may not connect") {
		t.Errorf("check --local without the group printed %s", out)
	}
	for range 45 {
		if agentState(t) == "inactive" {
			askAgent(t, socket) // the socket must still accept
			return
		}
		time.Sleep(time.Second)
	}
	t.Errorf("after 45 s the agent is %s, want inactive", agentState(t))
}

func TestAgentReportsFailedUnits(t *testing.T) {
	socket := installAgent(t)
	onHost(t, "m1", "sudo systemd-run --quiet --unit=lab-broken --wait false || :")
	defer onHost(t, "m1", "sudo systemctl reset-failed lab-broken.service")
	if h := askAgent(t, socket); !slices.Contains(h.FailedUnits, "lab-broken.service") || h.NoUnits != "" {
		t.Errorf("failed units: %q (%s), want lab-broken.service among them", h.FailedUnits, h.NoUnits)
	}
}

func TestTableFallsBackFromAgentToProbe(t *testing.T) {
	installAgent(t)
	onHost(t, "m1", "sudo usermod -aG fleetctl mba")
	defer onHost(t, "m1", "sudo gpasswd -d mba fleetctl")
	table := func() *terminal {
		term := openTerminal(t, 120, 34, lab.script+" op env TERM=xterm-256color "+lab.fleetctl)
		term.await(`m1 .*nixos`)
		term.press("g", "Enter")
		return term
	}
	term := table()
	term.await(`runs .*agent \S+.*up`, `load|memory`)
	onHost(t, "m1", "sudo systemctl stop fleetctl-agent.socket fleetctl-agent.service")
	term.press("r")
	term.awaitGone(`runs .*agent `)
	term.await(`runs .*Nix 2.*up`)
	term.press("Escape")
	term.await(`m3 .*home`)
	term.press("q")
	term.await(`exit status 0`)
}

// exposure matches the last line of systemd-analyze:
// "→ Overall exposure level for fleetctl-agent.service: 0.2 SAFE".
var exposure = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

func TestAgentSandboxScoresAsSafe(t *testing.T) {
	installAgent(t)
	for _, look := range []string{
		"systemd-analyze security --no-pager fleetctl-agent.service",
		"systemd-analyze security --no-pager --offline=true /etc/systemd/system/fleetctl-agent.service",
	} {
		out := onHost(t, "m1", "sudo "+look)
		found := exposure.FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("%s printed\n%s", look, out)
		}
		if level, err := strconv.ParseFloat(found[1], 64); err != nil || level > 0.6 {
			t.Errorf("%s: %s", look, found[0])
		}
	}
}

// sandboxCommand returns a systemd-run command line with those properties of the agent's service
// that keep accepts.
func sandboxCommand(t *testing.T, keep func(key string) bool) string {
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

// cleanup removes what a successful attempt leaves behind.
const cleanup = "; sudo umount /mnt 2>/dev/null || :; sudo rm -f /x /etc/x /run/x /run/fleetctl-agent/x /tmp/x /var/tmp/x /dev/shm/x /nix/x"

func TestAgentSandboxDeniesAccess(t *testing.T) {
	installAgent(t)
	// To try something takes a shell, which the real sandbox does not allow.
	shell := sandboxCommand(t, func(key string) bool {
		return !slices.Contains([]string{"Type", "ExecStart", "User", "NoExecPaths", "ExecPaths", "Environment"}, key)
	})
	if out := onHost(t, "m1", shell+"/bin/sh -c 'echo works; readlink /run/current-system >/dev/null && echo reads'"); out != "works\nreads" {
		t.Fatalf("a shell in the sandbox does not work: %s", out)
	}
	onHost(t, "m1", "touch ~/secret; sudo touch /root/secret")
	defer onHost(t, "m1", "sudo rm -f ~/secret /root/secret")
	for what, try := range map[string]string{
		"read /home":                  "ls /home/mba",
		"read /root":                  "ls /root",
		"read /etc/shadow":            "cat /etc/shadow",
		"open a TCP socket":           `/bin/bash -c "exec 3<>/dev/tcp/127.0.0.1/22"`,
		"write /":                     "touch /x",
		"write /etc":                  "touch /etc/x",
		"write /run":                  "touch /run/x",
		"write its runtime directory": "touch /run/fleetctl-agent/x",
		"write /tmp":                  "touch /tmp/x",
		"write /var/tmp":              "touch /var/tmp/x",
		"write /dev/shm":              "touch /dev/shm/x",
		"write /nix":                  "touch /nix/x",
		"write anywhere":              `find / -path /proc -prune -o "(" -type f -o -type d ")" -writable -print 2>/dev/null | grep -m 3 .`,
		"become root":                 "sudo -n true",
		"mount":                       "mount -t tmpfs x /mnt",
		"see other processes":         "test -e /proc/1/status",
	} {
		// Outside the sandbox root must be able to, otherwise the attempt shows nothing.
		if out := onHost(t, "m1", "if sudo /bin/sh -c '"+try+"' 2>&1; then echo DONE; fi"+cleanup); !strings.HasSuffix(out, "DONE") {
			t.Errorf("root cannot %s outside the sandbox either:\n%s", what, out)
		}
		if out := onHost(t, "m1", "if "+shell+"/bin/sh -c '"+try+"' 2>&1; then echo DONE; fi"); strings.HasSuffix(out, "DONE") {
			t.Errorf("the sandbox lets the agent %s:\n%s", what, out)
		}
	}

	whole := sandboxCommand(t, func(key string) bool {
		return !slices.Contains([]string{"Type", "ExecStart", "User", "Environment"}, key)
	})
	if out := onHost(t, "m1", whole+"/usr/local/bin/fleetctl version"); !strings.HasPrefix(out, "fleetctl ") {
		t.Errorf("the agent does not start in its sandbox: %s", out)
	}
	if out := onHost(t, "m1", "if "+whole+"/bin/sh -c true 2>&1; then echo DONE; fi"); strings.HasSuffix(out, "DONE") {
		t.Error("the sandbox lets the agent start a shell")
	}
}

func TestAgentMemoryStaysBoundedUnderLoad(t *testing.T) {
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
		t.Errorf("%d of 1000 requests were answered, %d were refused", answered.Load(), refused.Load())
	}
	peak := onHost(t, "m1", `sudo sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB$/\1/p' /proc/$(systemctl show -P MainPID fleetctl-agent.service)/status`)
	if kib, err := strconv.Atoi(peak); err != nil || kib > 30_000_000/1024 {
		t.Errorf("peak memory: %s KiB (%v), want at most 30 MB", peak, err)
	}
}
