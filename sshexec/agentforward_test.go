package sshexec

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// listAgent prints the keys of the agent that the script can reach.
const listAgent = `if [ -n "${SSH_AUTH_SOCK:-}" ]; then ssh-add -L; else echo none; fi`

func TestForwardAgentReachesScripts(t *testing.T) {
	t.Parallel()
	home, _, web := startRealHost(t, sshtest.SSHDOptions{})
	home.serveAgent(agent.NewKeyring()) // the login does not need it
	login := home.env["SSH_AUTH_SOCK"]
	_, private := newPrivateKey(t)
	ring := newKeyring(t, 0, private)
	home.serveAgent(ring)
	home.env["WORK_AGENT"], home.env["SSH_AUTH_SOCK"] = home.env["SSH_AUTH_SOCK"], login
	link := filepath.Join(home.dir, "agent")
	if err := os.Symlink(home.env["WORK_AGENT"], link); err != nil {
		t.Fatal(err)
	}
	keys, err := ring.List()
	if err != nil {
		t.Fatal(err)
	}
	work := string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(keys[0])))
	config := home.read("config")
	for lines, want := range map[string]string{
		"":                         "none",
		"ForwardAgent no":          "none",
		"ForwardAgent yes":         "The agent has no identities.",
		"ForwardAgent $WORK_AGENT": work,
		"ForwardAgent $NOT_SET":    "none",
		"ForwardAgent ~/agent":     work,
		"ForwardAgent %d/agent":    work,
		"ForwardAgent yes\nIdentityAgent " + link: work,
		"ForwardAgent yes\nIdentityAgent none":    "none",
	} {
		home.write("config", "%s", config+lines+"\n")
		c := home.dial(home.pool(), web)
		for range 2 { // the server sets up one socket for all sessions of a connection
			_, out, errs := run(t, c, listAgent)
			if got := strings.TrimSpace(out); !strings.HasPrefix(got, want) {
				t.Errorf("%q: got %q %q, want %q", lines, got, errs, want)
			}
		}
		c.Close()
	}
}

// TestForwardedAgentServesManyProcesses has more processes at once than connections to the agent
// are allowed, and one that outlives its session.
func TestForwardedAgentServesManyProcesses(t *testing.T) {
	t.Parallel()
	home, _, web := startRealHost(t, sshtest.SSHDOptions{})
	home.serveAgent(newKeyring(t, 1))
	home.write("config", "%s", home.read("config")+"ForwardAgent yes\n")
	c := home.dial(home.pool(), web)
	var scripts sync.WaitGroup
	for range 4 {
		scripts.Go(func() {
			if _, out, _ := run(t, c, "for n in 1 2 3 4; do ssh-add -L; done"); strings.Count(out, "ssh-ed25519 ") != 4 {
				t.Errorf("got %q", out)
			}
		})
	}
	scripts.Wait()
	// The server accepts whatever it can hold, and the operator's side rejects the rest.
	_, out, _ := run(t, c, `for n in $(seq 40); do ssh-add -L & done 2>/dev/null; wait`)
	if n := strings.Count(out, "ssh-ed25519 "); n < 1 || n > 40 {
		t.Errorf("%d of 40 processes got an answer", n)
	}
	file := filepath.Join(home.dir, "late")
	run(t, c, `(sleep 0.2; ssh-add -L >"$1") >/dev/null 2>&1 &`, file)
	_, out, _ = run(t, c, `n=0; until [ -s "$1" ] || [ $n = 100 ]; do sleep 0.1; n=$((n + 1)); done; cat "$1"`, file)
	if !strings.HasPrefix(out, "ssh-ed25519 ") {
		t.Errorf("a process that outlived its session got %q", out)
	}
}

func TestHostCannotUseAgentThatIsNotForwarded(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]bool{"": false, "ForwardAgent yes": true} {
		var rejected error
		s := sshtest.Start(t, sshtest.Config{Handler: func(session *sshtest.Session) int {
			rejected = session.OpenChannel(agentChannel)
			return 0
		}})
		home := newTestHome(t).trust(s)
		home.serveAgent(newKeyring(t, 1))
		home.write("config", "Host web\n%s\n", lines)
		c := home.dial(home.pool(), targetOf(s))
		run(t, c, "true")
		if (rejected == nil) != want {
			t.Errorf("%q: the host's request for the agent: %v", lines, rejected)
		}
	}
}
