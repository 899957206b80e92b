package agent

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestANixOSHostIsSeenAsItIs(t *testing.T) {
	h := aHost(t)
	look := h.Look(t.Context())
	if look.Kind != "nixos" || look.Nix != "2.31.2" || look.Agent != "0.1.0" || look.Host == "" || look.BootID == "" {
		t.Errorf("got %+v", look)
	}
	s := look.System
	if s.Deployed != h.Root+store+"new" || s.Booted != h.Root+store+"old" || s.Profile != s.Deployed {
		t.Errorf("got %+v", s)
	}
	if s.Revision != revision || s.Generation != 42 || s.GenerationTime == nil || time.Since(*s.GenerationTime) > time.Minute {
		t.Errorf("got %+v", s)
	}
	if !s.RebootNeeded || s.BootPending {
		t.Errorf("another kernel was booted, and the profile runs: got %+v", s)
	}
	for what, amount := range map[string]*health.Amount{"memory": look.Memory, "/": look.Root, "/nix/store": look.Store} {
		if amount == nil || amount.Total == 0 || amount.Free > amount.Total {
			t.Errorf("%s: got %+v", what, amount)
		}
	}
	if look.Uptime <= 0 || look.Cores < 1 {
		t.Errorf("up %v s, %d cores", look.Uptime, look.Cores)
	}
}

func TestAProfileThatDoesNotRunYetIsABootPending(t *testing.T) {
	h := aHost(t)
	link(t, h.Root+store+"old", h.Root+"/nix/var/nix/profiles/system-43-link")
	link(t, "system-43-link", h.Root+"/nix/var/nix/profiles/system")
	if s := h.Look(t.Context()).System; !s.BootPending || s.Generation != 43 {
		t.Errorf("got %+v", s)
	}
}

func TestTheSameKernelNeedsNoReboot(t *testing.T) {
	h := aHost(t)
	link(t, h.Root+store+"new", h.Root+"/run/booted-system")
	if s := h.Look(t.Context()).System; s.RebootNeeded {
		t.Errorf("got %+v", s)
	}
}

func TestWhatADeployNotedIsTheRevisionOfWhatRunsAlone(t *testing.T) {
	h := aHost(t)
	write(t, h.Root+store+"new/sw/bin/nixos-version", "#!/bin/sh\necho 26.05\n")
	noted := h.Home + "/.local/state/fleetctl/revisions"
	write(t, noted, h.Root+store+"older 1111\n"+h.Root+store+"new "+revision+"\n")
	if got := h.Look(t.Context()).System.Revision; got != revision {
		t.Errorf("got %q", got)
	}
	write(t, noted, h.Root+store+"old "+revision+"\n")
	if got := h.Look(t.Context()).System.Revision; got != "" {
		t.Errorf("got %q, of another system", got)
	}
}

func TestAHomeIsItsProfile(t *testing.T) {
	h := aHost(t)
	if err := os.Remove(h.Root + "/run/current-system"); err != nil {
		t.Fatal(err)
	}
	for name, profiles := range map[string]string{
		"in its own state":      h.Home + "/.local/state/nix/profiles",
		"in that of the system": h.Root + "/nix/var/nix/profiles/per-user/mba",
	} {
		t.Run(name, func(t *testing.T) {
			link(t, h.Root+store+"old", profiles+"/home-manager-7-link")
			link(t, "home-manager-7-link", profiles+"/home-manager")
			look := h.Look(t.Context())
			s := look.System
			if look.Kind != "home" || s.Deployed != h.Root+store+"old" || s.Generation != 7 || s.Booted != "" || s.BootPending || s.RebootNeeded {
				t.Errorf("%s: %+v", look.Kind, s)
			}
			if err := os.RemoveAll(profiles); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAHostWithNothingOfNixIsNoError(t *testing.T) {
	root := t.TempDir()
	look := Host{Root: root, Home: root}.Look(t.Context())
	if look.Kind != "home" || look.System != (health.System{}) || look.Store != nil || look.Nix != "" {
		t.Errorf("got %+v", look)
	}
}

// A bus that hangs up, one that says nothing, and none: the host's other figures are told, and why the failed units are not.
func TestABusThatDoesNotTellIsSaidSo(t *testing.T) {
	for what, answer := range map[string]func(net.Conn){
		"hung up":        func(c net.Conn) { c.Close() },
		"did not answer": func(net.Conn) {},
		"no such file":   nil,
	} {
		h, path := aHost(t), socketPath(t)
		if err := os.MkdirAll(h.Root+"/run/systemd/system", 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+path)
		if answer != nil {
			bus, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer bus.Close()
			go func() {
				if c, err := bus.Accept(); err == nil {
					answer(c)
				}
			}()
		}
		look := h.Look(t.Context())
		if !strings.Contains(look.NoUnits, what) || look.FailedUnits != nil || look.Memory == nil {
			t.Errorf("%s: units are unknown since %q, got %+v", what, look.NoUnits, look)
		}
		h.Kind = "home"
		if look := h.Look(t.Context()); look.NoUnits != "" {
			t.Errorf("a home has no units to tell of, and tells %q", look.NoUnits)
		}
	}
}
