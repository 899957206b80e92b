package agent

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestHealthOfNixOSHost(t *testing.T) {
	h := newHost(t)
	got := h.Health(t.Context())
	if got.Kind != "nixos" || got.Nix != "2.31.2" || got.Agent != "0.1.0" || got.Host == "" || got.BootID == "" {
		t.Errorf("got %+v", got)
	}
	s := got.System
	if s.Deployed != h.Root+storeDir+"new" || s.Booted != h.Root+storeDir+"old" || s.Profile != s.Deployed {
		t.Errorf("got %+v", s)
	}
	if s.Revision != revision || s.Generation != 42 || s.GenerationTime == nil || time.Since(*s.GenerationTime) > time.Minute {
		t.Errorf("got %+v", s)
	}
	if !s.RebootNeeded || s.BootPending {
		t.Errorf("the booted kernel differs and the profile runs: got %+v", s)
	}
	for what, amount := range map[string]*health.Amount{"memory": got.Memory, "/": got.Root, "/nix/store": got.Store} {
		if amount == nil || amount.Total == 0 || amount.Free > amount.Total {
			t.Errorf("%s: got %+v", what, amount)
		}
	}
	if got.Uptime <= 0 || got.Cores < 1 {
		t.Errorf("uptime %v s, %d cores", got.Uptime, got.Cores)
	}
}

func TestProfileThatDoesNotRunIsBootPending(t *testing.T) {
	h := newHost(t)
	link(t, h.Root+storeDir+"old", h.Root+"/nix/var/nix/profiles/system-43-link")
	link(t, "system-43-link", h.Root+"/nix/var/nix/profiles/system")
	if s := h.Health(t.Context()).System; !s.BootPending || s.Generation != 43 {
		t.Errorf("got %+v", s)
	}
}

func TestSpecialisationOfGeneration(t *testing.T) {
	for name, tt := range map[string]struct {
		of      string // the generation that has the specialisation
		pending bool
	}{"the default": {"new", false}, "an older one": {"old", true}} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.Kind = "nixos"
			link(t, h.Root+storeDir+"old", h.Root+"/nix/var/nix/profiles/system-41-link")
			write(t, h.Root+storeDir+"special/sw/bin/nixos-version", "")
			link(t, h.Root+storeDir+"special", h.Root+storeDir+tt.of+"/specialisation/gaming")
			link(t, h.Root+storeDir+"special", h.Root+"/run/current-system")
			write(t, h.Home+"/.local/state/fleetctl/revisions", h.Root+storeDir+tt.of+" "+revision+"\n")
			if s := h.Health(t.Context()).System; s.Specialisation != "gaming" || s.BootPending != tt.pending || s.Revision != revision {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestSameKernelNeedsNoReboot(t *testing.T) {
	h := newHost(t)
	link(t, h.Root+storeDir+"new", h.Root+"/run/booted-system")
	if s := h.Health(t.Context()).System; s.RebootNeeded {
		t.Errorf("got %+v", s)
	}
}

func TestRecordedRevisionAppliesToDeployedSystemOnly(t *testing.T) {
	h := newHost(t)
	write(t, h.Root+storeDir+"new/sw/bin/nixos-version", "#!/bin/sh\necho 26.05\n")
	recorded := h.Home + "/.local/state/fleetctl/revisions"
	write(t, recorded, h.Root+storeDir+"older 1111\n"+h.Root+storeDir+"new "+revision+"\n")
	if got := h.Health(t.Context()).System.Revision; got != revision {
		t.Errorf("got %q", got)
	}
	write(t, recorded, h.Root+storeDir+"old "+revision+"\n")
	if got := h.Health(t.Context()).System.Revision; got != "" {
		t.Errorf("got %q, the revision of another system", got)
	}
}

func TestHealthOfHome(t *testing.T) {
	h := newHost(t)
	if err := os.Remove(h.Root + "/run/current-system"); err != nil {
		t.Fatal(err)
	}
	for name, profiles := range map[string]string{
		"profile in the state directory": h.Home + "/.local/state/nix/profiles",
		"profile in per-user":            h.Root + "/nix/var/nix/profiles/per-user/mba",
	} {
		t.Run(name, func(t *testing.T) {
			link(t, h.Root+storeDir+"old", profiles+"/home-manager-7-link")
			link(t, "home-manager-7-link", profiles+"/home-manager")
			got := h.Health(t.Context())
			s := got.System
			if got.Kind != "home" || s.Deployed != h.Root+storeDir+"old" || s.Generation != 7 || s.Booted != "" || s.BootPending || s.RebootNeeded {
				t.Errorf("%s: %+v", got.Kind, s)
			}
			if err := os.RemoveAll(profiles); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestHealthOfHostWithoutNix(t *testing.T) {
	root := t.TempDir()
	got := Host{Root: root, Home: root}.Health(t.Context())
	if got.Kind != "home" || got.System != (health.System{}) || got.Store != nil || got.Nix != "" {
		t.Errorf("got %+v", got)
	}
}

// TestHealthReportsWhyUnitsAreUnknown checks that the other figures and the reason are reported if
// the bus hangs up, does not answer or does not exist.
func TestHealthReportsWhyUnitsAreUnknown(t *testing.T) {
	for what, respond := range map[string]func(net.Conn){
		"hung up":        func(c net.Conn) { c.Close() },
		"did not answer": func(net.Conn) {},
		"no such file":   nil,
	} {
		h, path := newHost(t), socketPath(t)
		if err := os.MkdirAll(h.Root+"/run/systemd/system", 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+path)
		if respond != nil {
			bus, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer bus.Close()
			go func() {
				if c, err := bus.Accept(); err == nil {
					respond(c)
				}
			}()
		}
		got := h.Health(t.Context())
		if !strings.Contains(got.NoUnits, what) || got.FailedUnits != nil || got.Memory == nil {
			t.Errorf("%s: the reason is %q, got %+v", what, got.NoUnits, got)
		}
		h.Kind = "home"
		if got := h.Health(t.Context()); got.NoUnits != "" {
			t.Errorf("a home must not report units: got %q", got.NoUnits)
		}
	}
}
