package remote

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/clean"
)

const linuxOutput = `kind nixos
boot 7d92d822-433f-474b-ba4a-b92a47cb6fea
time 1795503408
host hsb0.lan
uptime 4480.33
load 0.42 0.30 0.22 1/612 5619
ticks 2000 0 1000 6000 500 100 200 200 77 0
cores 4
MemTotal 8000
MemAvailable 6000
SwapTotal 0
SwapFree 0
os NixOS 26.05
nix 2.31.2
root 1000 250
store 2000 100
deployed /nix/store/b-nixos
revision 2222222222222222222222222222222222222222
profile /nix/store/c-nixos
generation 213
generation-time 1795500000
booted /nix/store/a-nixos
reboot yes
failed adguardhome.service
failed mnt-backup.mount
checkout 1111111111111111111111111111111111111111
branch main
standing +1 -2
dirty yes
subject flake: newer nixpkgs
lock 0123abcd
job job=r1.hsb0 who=mba@imac0 since=1795503000 step=build
agent /run/fleetctl-agent/agent.sock
`

func TestParseProbe(t *testing.T) {
	got := ParseProbe([]byte(linuxOutput))
	at := func(s int64) *time.Time { return new(time.Unix(s, 0).UTC()) }
	want := Probed{
		Agent: "/run/fleetctl-agent/agent.sock",
		Ticks: Ticks{Busy: 3500, Total: 10000},
		Health: health.Health{
			Time: *at(1795503408), Host: "hsb0", Kind: "nixos", OS: "NixOS 26.05", Nix: "2.31.2", BootID: "7d92d822-433f-474b-ba4a-b92a47cb6fea",
			Uptime: 4480.33, Cores: 4, Load: [3]float64{0.42, 0.30, 0.22},
			Memory: &health.Amount{Total: 8000 << 10, Free: 6000 << 10},
			Root:   &health.Amount{Total: 1000 << 10, Free: 250 << 10}, Store: &health.Amount{Total: 2000 << 10, Free: 100 << 10},
			System: health.System{
				Deployed: "/nix/store/b-nixos", Booted: "/nix/store/a-nixos", Profile: "/nix/store/c-nixos", Generation: 213, GenerationTime: at(1795500000),
				Revision: strings.Repeat("2", 40), RebootNeeded: true, BootPending: true,
			},
			FailedUnits: []string{"adguardhome.service", "mnt-backup.mount"},
			Checkout: &health.Checkout{
				Revision: strings.Repeat("1", 40), Branch: "main", Subject: "flake: newer nixpkgs", Dirty: true, Ahead: 1, Behind: 2, Lock: "0123abcd",
			},
			Job: &health.Job{ID: "r1.hsb0", Who: "mba@imac0", Since: at(1795503000), Step: "build"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestParseProbeOfMac(t *testing.T) {
	h := ParseProbe([]byte(`time 1763903600
sysctl kern.boottime: { sec = 1763900000, usec = 123456 } Sun Nov 23 12:13:20 2025
sysctl vm.loadavg: { 1.52 1.61 1.70 }
sysctl hw.memsize: 17179869184
sysctl hw.logicalcpu: 8
sysctl vm.swapusage: total = 2048.00M  used = 1027.25M  free = 1020.75M  (encrypted)
vm_stat Mach Virtual Memory Statistics: (page size of 16384 bytes)
vm_stat Pages free:                               10000.
vm_stat Pages active:                            300000.
vm_stat Pages inactive:                           20000.
vm_stat Pages speculative:                         1000.
`)).Health
	if h.Uptime != 3600 || h.Load != [3]float64{1.52, 1.61, 1.70} || h.Cores != 8 {
		t.Errorf("uptime %v, load %v, %d cores", h.Uptime, h.Load, h.Cores)
	}
	if h.Memory == nil || *h.Memory != (health.Amount{Total: 16 << 30, Free: 31000 * 16384}) {
		t.Errorf("memory %+v", h.Memory)
	}
	if h.Swap == nil || h.Swap.Total != 2048<<20 || h.Swap.Free != 1020<<20+768<<10 {
		t.Errorf("swap %+v", h.Swap)
	}
}

func TestParseProbeLeavesOutWhatIsMissing(t *testing.T) {
	got := ParseProbe([]byte("kind home\nload\nroot - -\nbranch main\nuptime NaN\ntime 99999999999999\n"))
	if want := (Probed{Health: health.Health{Kind: "home"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestSpecialisationOfProfileIsNotBootPending(t *testing.T) {
	for parent, pending := range map[string]bool{"/nix/store/a": false, "/nix/store/b": true} {
		s := ParseProbe([]byte("deployed /nix/store/s\nprofile /nix/store/a\nspecialisation gaming\nparent " + parent + "\n")).Health.System
		if s.Specialisation != "gaming" || s.BootPending != pending {
			t.Errorf("%s: %+v", parent, s)
		}
	}
}

func TestParseProbeLimitsFigures(t *testing.T) {
	h := ParseProbe([]byte("load 1e308 -1 NaN\nuptime 1e300\ncores 1000000000000\ngeneration 99999999999\n" +
		"checkout 1\nstanding +99999999999 -99999999999\nroot 1000000000000000 2000000000000000\n")).Health
	if h.Load != [3]float64{99999, 0, 0} || h.Uptime > 1e10 || h.Cores > 1<<31 || h.System.Generation > 1<<31 ||
		h.Checkout.Ahead > 1<<31 || h.Checkout.Behind > 1<<31 || h.Root.Total > 1<<60 || h.Root.Free > h.Root.Total {
		t.Errorf("%+v, system %+v, checkout %+v, disk %+v", h, h.System, h.Checkout, h.Root)
	}
}

func TestTicksSince(t *testing.T) {
	if busy := (Ticks{Busy: 150, Total: 400}).Since(Ticks{Busy: 100, Total: 200}); busy == nil || *busy != 25 {
		t.Errorf("busy %v", busy)
	}
	if busy := (Ticks{Busy: 10, Total: 20}).Since(Ticks{Busy: 100, Total: 200}); busy != nil {
		t.Errorf("after a reboot: %v", *busy)
	}
	if busy := (Ticks{Busy: 10, Total: 20}).Since(Ticks{}); busy != nil {
		t.Errorf("at first: %v", *busy)
	}
}

// FuzzParseProbe checks that every output of a host can be written as JSON and shown on a terminal.
func FuzzParseProbe(f *testing.F) {
	f.Add([]byte(linuxOutput))
	f.Add([]byte("subject \x1b[31mred\nfailed \xff\u202e\nload Inf -1 1e999\ntime 999999999999\ngeneration-time -5\nMemTotal 18446744073709551615\n"))
	f.Add([]byte("vm_stat (page size of 16384 bytes)\nvm_stat Pages free: 1125899906842623.\nsysctl vm.swapusage: total = 1e300M"))
	f.Fuzz(func(t *testing.T, output []byte) {
		p := ParseProbe(output)
		text, err := json.Marshal(p.Health)
		if err != nil {
			t.Fatal(err)
		}
		var again health.Health
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		for _, shown := range append(p.Health.FailedUnits, p.Health.Host, p.Health.OS, p.Health.System.Revision) {
			if shown != clean.Line([]byte(shown)) {
				t.Errorf("%q is not clean", shown)
			}
		}
		for _, a := range []*health.Amount{p.Health.Memory, p.Health.Swap, p.Health.Root, p.Health.Store} {
			if a != nil && a.Free > a.Total {
				t.Errorf("more free than there is: %+v", *a)
			}
		}
	})
}

// TestProbeWorksInEveryShell probes this machine with every shell that a host could have.
func TestProbeWorksInEveryShell(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/loadavg"); err != nil {
		t.Skip("needs Linux")
	}
	for which, path := range shells(t) {
		s := Probe("token", "nixos", Checkout{Repo: "../.."})
		cmd := shell(path, s.Text, append([]string{"-s", "--"}, s.Args...)...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_STATE_HOME=", "FLEETCTL_ROOT=")
		out, err := cmd.Output()
		header, rest, _ := bytes.Cut(out, []byte("\n"))
		if err != nil || string(header) != "@token probed" {
			t.Errorf("%s: %v, header %q", which, err, header)
			continue
		}
		h := ParseProbe(rest).Health
		if h.Kind != "nixos" || h.Uptime == 0 || h.Cores == 0 || h.Memory == nil || h.Root == nil || h.Time.IsZero() || h.BootID == "" || h.Host == "" {
			t.Errorf("%s: %+v from\n%s", which, h, rest)
		}
	}
}

// TestProbeReportsSocketOfAgent compares the script with [health.Sockets]. A home's own agent comes
// before the machine's; a machine has only its own.
func TestProbeReportsSocketOfAgent(t *testing.T) {
	t.Parallel()
	root, err := os.MkdirTemp("", "") // the path of a socket is limited to about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	env := map[string]string{"FLEETCTL_ROOT": root, "HOME": root + "/home", "XDG_STATE_HOME": "", "XDG_RUNTIME_DIR": ""}
	agent := func(kind string) string {
		s := Probe("token", kind, Checkout{Repo: "~/none"})
		cmd := shell("/bin/sh", s.Text, append([]string{"-s", "--"}, s.Args...)...)
		cmd.Env = os.Environ()
		for name, value := range env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return ParseProbe(out).Agent
	}
	if got := agent("home"); got != "" {
		t.Errorf("without an agent: %q", got)
	}
	sockets := health.Sockets(func(string) string { return "" }, root+"/home", os.Getuid())
	slices.Reverse(sockets) // so that each takes precedence over the previous ones
	for _, socket := range sockets {
		own := strings.HasPrefix(socket, root) || strings.HasPrefix(socket, "/run/user/")
		if !strings.HasPrefix(socket, root) {
			socket = root + socket
		}
		if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if got := agent("home"); got != socket {
			t.Errorf("home: got %q, want %q", got, socket)
		}
		if got := agent("darwin"); (got == socket) == own {
			t.Errorf("machine: got %q with %q present", got, socket)
		}
	}
	env["XDG_RUNTIME_DIR"] = "/elsewhere"
	if got := agent("home"); !strings.HasSuffix(got, "/.local/state/fleetctl/agent.sock") {
		t.Errorf("with another XDG_RUNTIME_DIR: %q", got)
	}
}
