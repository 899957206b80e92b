package cli

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/internal/demo"
)

// TestFewDescriptorsHarmNoHost deploys to more hosts than the limit of open files allows at once.
func TestFewDescriptorsHarmNoHost(t *testing.T) {
	t.Parallel()
	var hosts []demo.Host
	for _, name := range []string{"a", "b", "c"} {
		hosts = append(hosts, demo.Host{Name: name, Kind: "nixos", User: "mba", Wave: 1})
	}
	f, err := demo.Start(t.Context(), demo.Options{Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for command, want := range map[string]string{"deploy --all --yes --parallel 100": "✓ switched", "exec --all --yes --parallel 100 -- echo fine": "| fine"} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "ulimit -n 20 && exec fleetctl "+command)
		cmd.Env = append(append(os.Environ(), f.Environ()...), "USER=mba")
		text, err := cmd.CombinedOutput()
		if n := strings.Count(string(text), want); err != nil || n != len(hosts) || !strings.Contains(string(text), "hosts at once: 1 instead of 100") {
			t.Errorf("%s: %v, %d hosts:\n%s", command, err, n, text)
		}
	}
}
