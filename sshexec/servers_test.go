package sshexec

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/internal/sshtest"
	"github.com/markus-barta/nixfleet/internal/testrounds"
)

// TestSSHDKnownHostsLoginsMatchSSH logs in to a real sshd with ssh and with this package, for each
// type of host key, each policy and each state of known_hosts.
func TestSSHDKnownHostsLoginsMatchSSH(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	otherType := map[string]string{"ed25519": "rsa", "ecdsa": "ed25519", "rsa": "ecdsa"}
	types := []string{"ecdsa", "ed25519", "rsa"}
	for _, kind := range types[:testrounds.N(1, len(types))] {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			home, d, web := startRealHost(t, sshtest.SSHDOptions{KeyType: kind})
			name := fmt.Sprintf("[127.0.0.1]:%d", d.Port)
			other, foreign := newSigner(t, kind).PublicKey(), newSigner(t, otherType[kind]).PublicKey()
			for state, known := range map[string]string{
				"known":                hostKeyLine(name, d.HostKey),
				"hashed":               hostKeyLine(hashedHostName(name), d.HostKey),
				"without port":         hostKeyLine("127.0.0.1", d.HostKey),
				"pattern":              hostKeyLine("*", d.HostKey),
				"unknown":              "",
				"changed":              hostKeyLine(name, other),
				"changed with port":    hostKeyLine(name, other) + hostKeyLine("127.0.0.1", d.HostKey),
				"changed without port": hostKeyLine("127.0.0.1", other),
				"other type":           hostKeyLine(name, foreign),
				"revoked":              hostKeyLine(name, d.HostKey) + "@revoked " + hostKeyLine("*", d.HostKey),
				"other revoked":        hostKeyLine(name, d.HostKey) + "@revoked " + hostKeyLine("*", other),
			} {
				policies := []string{"accept-new", "no", "ask", "yes"}
				for _, policy := range policies[:testrounds.N(1, len(policies))] {
					home.write("config", "Host web\n  HostName 127.0.0.1\n  Port %d\n  User %s\n  IdentityFile %s\n  IdentitiesOnly yes\n"+
						"  UserKnownHostsFile %s\n  GlobalKnownHostsFile none\n  UpdateHostKeys no\n  StrictHostKeyChecking %s\n",
						d.Port, d.User, d.KeyFile, home.path("known_hosts"), policy)
					home.ConfigFile = home.path("config")

					home.write("known_hosts", "%s", known)
					out, err := exec.Command("ssh", "-F", home.path("config"), "-o", "BatchMode=yes", "web", "true").CombinedOutput()
					sshLogsIn, sshSaves := err == nil, strings.Count(home.read("known_hosts"), "\n")-strings.Count(known, "\n")

					home.write("known_hosts", "%s", known)
					conn, err := home.pool().Dial(home.ctx(), web)
					logsIn, saves := err == nil, strings.Count(home.read("known_hosts"), "\n")-strings.Count(known, "\n")
					if err == nil {
						conn.Close()
					}
					// The differences that docs/ssh.md lists: a key that does not match is refused.
					refused := policy == "no" && slices.Contains([]string{"changed", "changed with port", "other type", "revoked"}, state)
					if refused {
						if !sshLogsIn || logsIn || saves != 0 {
							t.Errorf("%s, %s: ssh logs in: %v; %v, %d keys saved", state, policy, sshLogsIn, err, saves)
						}
					} else if logsIn != sshLogsIn || saves != sshSaves {
						t.Errorf("%s, %s: %v, %d keys saved; ssh saved %d and printed %s", state, policy, err, saves, sshSaves, out)
					}
				}
			}
		})
	}
}

// withAuthorizedKeys returns a shell command that runs another with the key of home, and no other,
// in the authorized_keys of this process's user.
func withAuthorizedKeys(t *testing.T, home *testHome, command string) string {
	t.Helper()
	current, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	home.User = current.Username
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "authorized_keys"), ssh.MarshalAuthorizedKey(home.key.PublicKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	unshare := "unshare -m"
	if os.Getuid() != 0 {
		unshare = "unshare -rm"
	}
	line := func(command string) string {
		return fmt.Sprintf("exec %s sh -c 'mkdir -p ~/.ssh && mount --bind %s ~/.ssh && exec %s'", unshare, dir, command)
	}
	if out, err := exec.Command("sh", "-c", line("true")).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a directory over ~/.ssh: %v: %s", err, out)
	}
	return line(command)
}

// checkScript runs a script that uses all streams and an argument.
func checkScript(t *testing.T, home *testHome, c *Conn) {
	t.Helper()
	var out strings.Builder
	input := strings.Repeat("input\n", 500)
	exit, err := c.Run(home.ctx(), Command{Script: `cat; printf %s "$1"; exit 3`, Args: []string{"an 'argument'"}, Stdin: strings.NewReader(input), Stdout: &out})
	if err != nil || exit != 3 || out.String() != input+"an 'argument'" {
		t.Errorf("exit status %d, %d bytes, %v", exit, out.Len(), err)
	}
}

func lookTool(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/local/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	t.Skip("needs " + name)
	return ""
}

func TestDropbearRunsScripts(t *testing.T) {
	t.Parallel()
	server, keygen := lookTool(t, "dropbear"), lookTool(t, "dropbearkey")
	types := []string{"ed25519", "ecdsa", "rsa"}
	for _, kind := range types[:testrounds.N(1, len(types))] {
		file := filepath.Join(t.TempDir(), "key")
		if out, err := exec.Command(keygen, "-t", kind, "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("dropbearkey: %v: %s", err, out)
		}
		out, err := exec.Command(keygen, "-y", "-f", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := bytes.Cut(out, []byte("\n")) // "Public key portion is:"
		key, _, _, _, err := ssh.ParseAuthorizedKey(after)
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		home := newTestHome(t)
		port := closedPort(t)
		line := withAuthorizedKeys(t, home, fmt.Sprintf("%s -F -s -r %s -p 127.0.0.1:%d", server, file, port))
		cmd := exec.Command("sh", "-c", line)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		home.write("known_hosts", "%s", hostKeyLine(fmt.Sprintf("[127.0.0.1]:%d", port), key))
		for range 500 {
			if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				conn.Close()
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		c := home.dial(home.pool(), Target{Name: "web", Address: "127.0.0.1", Port: port})
		checkScript(t, home, c)
		// The bastion of another host.
		target := sshtest.Start(t, shellConfig())
		home.trust(target)
		home.write("config", "Host web\n  HostName 127.0.0.1\n  Port %d\nHost behind\n  HostName 127.0.0.1\n  Port %d\n  ProxyJump web\n", port, target.Port())
		checkScript(t, home, home.dial(home.pool(), Target{Name: "behind"}))
	}
}

func TestTinySSHRunsScripts(t *testing.T) {
	t.Parallel()
	server := lookTool(t, "tinysshd")
	dir := filepath.Join(t.TempDir(), "keys")
	if out, err := exec.Command(lookTool(t, "tinysshd-makekey"), dir).CombinedOutput(); err != nil {
		t.Fatalf("tinysshd-makekey: %v: %s", err, out)
	}
	public, err := os.ReadFile(filepath.Join(dir, "ed25519.pk"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePublicKey(ssh.Marshal(struct{ Type, Key string }{ssh.KeyAlgoED25519, string(public)}))
	if err != nil {
		t.Fatal(err)
	}
	home := newTestHome(t)
	home.write("config", "Host web\n  ProxyCommand %s\n", withAuthorizedKeys(t, home, fmt.Sprintf("%s -v %s", server, dir)))
	home.write("known_hosts", "%s", hostKeyLine("web", key))
	checkScript(t, home, home.dial(home.pool(), Target{Name: "web"}))
}
