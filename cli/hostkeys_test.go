package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
)

// forgetHostKeys empties known_hosts of a demo operator who has a terminal and answers with in.
func forgetHostKeys(t *testing.T, env *testEnv, f *demo.Fleet, in string) (knownHosts string) {
	t.Helper()
	knownHosts = filepath.Join(f.Home, ".ssh", "known_hosts")
	if err := os.WriteFile(knownHosts, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	env.InTTY, env.ErrTTY, env.In = true, true, strings.NewReader(in)
	return knownHosts
}

func TestUnknownHostKeysAreAcceptedWithOneQuestion(t *testing.T) {
	t.Parallel()
	env, f := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "api", Kind: "nixos", User: "mba", Wave: 1})
	knownHosts := forgetHostKeys(t, env, f, "y\n")
	if code := Main(env.Env, []string{"exec", "--all", "--", "true"}); code != fleet.ExitOK {
		t.Errorf("exit code %d", code)
	}
	asked := env.err.String()
	for _, want := range []string{"for 2 hosts:\n", "  web  ssh-ed25519  SHA256:", "  api  ssh-ed25519  SHA256:", "Accept all 2 keys, and add to " + knownHosts} {
		if strings.Count(asked, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, asked)
		}
	}
	*env.err = syncBuffer{}
	if code := Main(env.Env, []string{"status"}); code != fleet.ExitOK || strings.Contains(env.err.String(), "known_hosts") {
		t.Errorf("the keys were not saved: exit code %d\n%s", code, env.err)
	}
}

func TestDeclinedHostKeysAreNotSaved(t *testing.T) {
	t.Parallel()
	env, f := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	for in, code := range map[string]int{"n\n": fleet.ExitFailed, "": fleet.ExitInterrupted} {
		knownHosts := forgetHostKeys(t, env, f, in)
		if got := Main(env.Env, []string{"status"}); got != code {
			t.Errorf("after the answer %q: exit code %d, want %d\n%s", in, got, code, env.err)
		}
		if text, err := os.ReadFile(knownHosts); err != nil || len(text) > 0 {
			t.Errorf("%q, %v", text, err)
		}
	}
	// deploy asks after its own question.
	forgetHostKeys(t, env, f, "y\ny\n")
	if code := Main(env.Env, []string{"deploy", "web", "--quiet"}); code != fleet.ExitOK || !strings.Contains(env.err.String(), "Accept the key, and add to ") {
		t.Errorf("deploy: exit code %d\n%s", code, env.err)
	}
	// --yes accepts nothing.
	forgetHostKeys(t, env, f, "y\n")
	if code := Main(env.Env, []string{"deploy", "web", "--quiet", "--yes"}); code != fleet.ExitFailed {
		t.Errorf("deploy --yes: exit code %d\n%s", code, env.err)
	}
}
