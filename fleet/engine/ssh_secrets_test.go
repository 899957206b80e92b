package engine_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// mark creates a file, and returns the error if it cannot.
func mark(path string) []string {
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// TestArgumentsOfProcessesHaveNoSecrets looks through the processes of this machine, as any user of
// a host can, while a job runs its health check and another one its switch_command.
func TestArgumentsOfProcessesHaveNoSecrets(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("needs /proc")
	}
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "api", Kind: "nixos", User: "mba", Wave: 1})
	const secret = "geheim-5f1d"
	// Each command runs until it was seen.
	command := func(host string) string {
		return ": " + secret + "; until test -e " + filepath.Join(f.Root(host), "seen") + "; do sleep 0.05; done"
	}
	f.Inv.Host("web").Health = []inventory.Check{{What: command("web")}}
	f.Inv.Host("api").SwitchCommand = command("api")

	stop := make(chan struct{})
	var watch sync.WaitGroup
	var found []string
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, process := range processes {
				line, err := os.ReadFile(process)
				if err != nil {
					continue // it has exited
				}
				if bytes.Contains(line, []byte(secret)) {
					found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
				}
				for _, host := range []string{"web", "api"} {
					if bytes.Contains(line, []byte(f.Root(host))) && bytes.Contains(line, []byte("/command")) {
						found = append(found, mark(filepath.Join(f.Root(host), "seen"))...)
					}
				}
			}
		}
	})
	_, state := f.Deploy(t.Context(), func(fleet.Event) {})
	close(stop)
	watch.Wait()
	for _, h := range state.Hosts {
		if h.Result.Outcome != fleet.Switched && h.Result.Outcome != fleet.Unchanged {
			t.Errorf("%s: %+v", h.Name, h.Result)
		}
	}
	if len(found) > 0 {
		t.Errorf("every user can read %q", found)
	}
}
