package demo

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// trio returns one host of each kind.
func trio() []Host {
	return []Host{
		{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		{Name: "mac", Kind: "darwin", User: "mba", Wave: 1},
		{Name: "desk", Kind: "home", User: "markus", Wave: 1},
	}
}

func build(host string) string {
	attr := map[string]string{
		"web":  `nixosConfigurations."web".config.system.build.toplevel`,
		"mac":  `darwinConfigurations."mac".system`,
		"desk": `homeConfigurations."markus@desk".activationPackage`,
	}[host]
	return `(cd Code/nixcfg && nix build '.#` + attr + `' --out-link "$HOME/built" --log-format internal-json -v)`
}

func activate(host string) string {
	return map[string]string{"web": "built/bin/switch-to-configuration switch", "mac": "built/activate"}[host]
}

func profile(host string) string {
	if host == "desk" {
		return ".local/state/nix/profiles/home-manager"
	}
	return "$FLEETCTL_ROOT/nix/var/nix/profiles/system"
}

func start(t *testing.T, o Options) *testFleet {
	t.Helper()
	f, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return &testFleet{f}
}

type testFleet struct{ *Fleet }

func (f *testFleet) tip(t *testing.T) string {
	t.Helper()
	rev, err := git(t.Context(), f.Origin, "rev-parse", branch)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func (f *testFleet) push(t *testing.T, host string, directives ...string) {
	t.Helper()
	if _, err := f.Push(t.Context(), host, directives...); err != nil {
		t.Fatal(err)
	}
}

// dial logs in to a host with a key and the operator's known hosts.
func (f *testFleet) dial(host string, key []byte) (*ssh.Client, error) {
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		return nil, err
	}
	known, err := knownhosts.New(filepath.Join(f.Home, ".ssh", "known_hosts"))
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.Server(host).Port())), &ssh.ClientConfig{
		User: "any", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: known, Timeout: 10 * time.Second,
	})
}

type result struct {
	exit     int
	out, err string
}

func (r result) ok(t *testing.T) string {
	t.Helper()
	if r.exit != 0 {
		t.Fatalf("exit %d: %s%s", r.exit, r.out, r.err)
	}
	return r.out
}

// sh runs a script on a host over SSH.
func (f *testFleet) sh(t *testing.T, host, script string, stdin ...string) result {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(f.Home, ".ssh", "id_ed25519"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := f.dial(host, key)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	session.Stdout, session.Stderr, session.Stdin = &out, &stderr, io.Reader(strings.NewReader(strings.Join(stdin, "")))
	err = session.Run(script)
	var exit *ssh.ExitError
	got := result{out: strings.TrimSpace(out.String()), err: strings.TrimSpace(stderr.String())}
	if errors.As(err, &exit) {
		got.exit = exit.ExitStatus()
	} else if err != nil {
		t.Fatalf("%s: %v", host, err)
	}
	return got
}
