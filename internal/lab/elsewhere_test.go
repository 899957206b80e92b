//go:build lab

package lab_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
)

// poor makes a host unable to build anything itself: it has no git, no checkout and no flakes, its
// daemon trusts only root and has no build slots. It undoes that when the test ends.
func poor(t *testing.T, host string) {
	t.Helper()
	t.Cleanup(func() {
		onHost(t, host, `sudo mv /etc/nix/nix.conf.rich /etc/nix/nix.conf
sudo mv /usr/bin/git.away /usr/bin/git
sudo systemctl restart nix-daemon.service
rm -rf Code; mkdir -p Code; git clone -q git://10.78.0.1/nixcfg.git Code/nixcfg`)
	})
	onHost(t, host, `set -e
sudo cp /etc/nix/nix.conf /etc/nix/nix.conf.rich
printf 'substituters =\ntrusted-users = root\nmax-jobs = 0\n' | sudo tee /etc/nix/nix.conf >/dev/null
sudo mv /usr/bin/git /usr/bin/git.away
sudo systemctl restart nix-daemon.service
rm -rf Code`)
}

// inventoryWith writes an inventory of the lab's hosts with more lines for some of them, and makes
// fleetctl use it until the test ends.
func inventoryWith(t *testing.T, more map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(lab.dir, "operator/hosts.toml"))
	if err != nil {
		t.Fatal(err)
	}
	own := string(text)
	for host, lines := range more {
		header := fmt.Sprintf("[hosts.%s]\n", host)
		own = strings.Replace(own, header, header+lines+"\n", 1)
	}
	path := filepath.Join(t.TempDir(), "hosts.toml")
	if err := os.WriteFile(path, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FLEETCTL_INVENTORY", path)
}

// TestBuilderBuildsForHostsThatCannot has a system and a home that cannot build.
func TestBuilderBuildsForHostsThatCannot(t *testing.T) {
	inventoryWith(t, map[string]string{"m2": `build = "m1"`, "m3": `build = "m1"`})
	poor(t, "m2")
	poor(t, "m3")
	rev := push(t, "m2", "payload 8")
	r := fleetctl(t, "deploy", "--all")
	r.expectExit(t, 0)
	for _, host := range []string{"m1", "m2", "m3"} {
		if result := r.expect(t, host, fleet.Switched, ""); result.After != rev || result.NarHash == "" {
			t.Errorf("%s: %+v", host, *result)
		}
		assertSameLog(t, r.run(), host)
		assertIdle(t, host)
	}
	if got, want := onHost(t, "m2", "readlink /run/current-system"), r.facts["m2"]["built"]; got != want {
		t.Errorf("m2 runs %s, want %s", got, want)
	}
	again := fleetctl(t, "deploy", "--all")
	again.expectExit(t, 0)
	for _, host := range []string{"m1", "m2", "m3"} {
		again.expect(t, host, fleet.Unchanged, "")
	}
	push(t, "m2", "payload 2")
	next := fleetctl(t, "deploy", "m2")
	next.expectExit(t, 0)
	next.expect(t, "m2", fleet.Switched, "")
	back := fleetctl(t, "rollback", "m2", "--yes")
	back.expectExit(t, 0)
	back.expect(t, "m2", fleet.Switched, "")
}
