package sshtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// SSHDOptions configures a real sshd.
type SSHDOptions struct {
	Config  string // more lines for sshd_config(5); they come first and therefore take precedence
	KeyType string // type of the host key, as for ssh-keygen; "" means ed25519
}

// An SSHD is an OpenSSH server on the loopback interface that accepts this process's user with one
// key.
type SSHD struct {
	Dir     string // its files; also HOME of its sessions, to keep out the user's dotfiles
	Addr    string
	Port    int
	User    string
	KeyFile string        // the private key that it accepts
	HostKey ssh.PublicKey // its host key
}

// StartSSHD starts a real sshd for the duration of a test. If the machine has none, it skips the
// test with a message that starts with "needs sshd".
func StartSSHD(t TB, o SSHDOptions) *SSHD {
	t.Helper()
	bin := findSSHD()
	if bin == "" {
		t.Skipf("needs sshd: no OpenSSH server in PATH, /usr/sbin or /usr/local/sbin")
	}
	s, stop, err := launchSSHD(bin, t.TempDir(), o)
	if err != nil {
		t.Fatalf("sshd: %v", err)
	}
	t.Cleanup(stop)
	return s
}

func findSSHD() string {
	for _, name := range []string{"sshd", "/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if path, err := exec.LookPath(name); err == nil {
			if abs, err := filepath.Abs(path); err == nil {
				// sshd re-executes itself for each connection and requires an absolute path.
				return abs
			}
		}
	}
	return ""
}

// SSHDAccepts reports whether the installed sshd knows a line of sshd_config(5).
func SSHDAccepts(line string) bool {
	bin := findSSHD()
	return bin != "" && sshdAccepts(bin, line)
}

// sshdAccepts may report false for an OpenSSH older than 9.3, which cannot be asked.
func sshdAccepts(bin, line string) bool {
	return exec.Command(bin, "-G", "-f", os.DevNull, "-o", line).Run() == nil
}

func launchSSHD(bin, dir string, o SSHDOptions) (*SSHD, func(), error) {
	current, err := user.Current()
	if err != nil {
		return nil, nil, err
	}
	s := &SSHD{Dir: dir, User: current.Username, KeyFile: filepath.Join(dir, "id")}
	client, err := WriteKeyFile(s.KeyFile)
	if err != nil {
		return nil, nil, err
	}
	if o.KeyType == "" {
		o.KeyType = "ed25519"
	}
	hostKey := filepath.Join(dir, "host")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", o.KeyType, "-N", "", "-f", hostKey).CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("ssh-keygen: %v: %s", err, out)
	}
	public, err := os.ReadFile(hostKey + ".pub")
	if err != nil {
		return nil, nil, err
	}
	if s.HostKey, _, _, _, err = ssh.ParseAuthorizedKey(public); err != nil {
		return nil, nil, err
	}
	if s.Port, err = freePort(); err != nil {
		return nil, nil, err
	}
	s.Addr = fmt.Sprintf("127.0.0.1:%d", s.Port)
	if os.Geteuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755) // Debian's privilege separation directory
	}
	config := o.Config + fmt.Sprintf(`
ListenAddress 127.0.0.1:%d
HostKey %s
PidFile none
SetEnv HOME=%s
AuthorizedKeysFile %s
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
`, s.Port, hostKey, dir, filepath.Join(dir, "authorized_keys"))
	if penalties := "PerSourcePenalties no"; sshdAccepts(bin, penalties) {
		config += penalties + "\n" // tests fail to log in on purpose
	}
	if err := os.WriteFile(filepath.Join(dir, "authorized_keys"), ssh.MarshalAuthorizedKey(client.PublicKey()), 0o600); err != nil {
		return nil, nil, err
	}
	file := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, nil, err
	}

	cmd := exec.Command(bin, "-D", "-e", "-f", file)
	logFile, err := os.Create(filepath.Join(dir, "sshd.log"))
	if err != nil {
		return nil, nil, err
	}
	defer logFile.Close()
	cmd.Stdout, cmd.Stderr = logFile, logFile
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	stop := func() { _ = cmd.Process.Kill(); <-exited }
	for range 200 {
		select {
		case <-exited:
			log, _ := os.ReadFile(logFile.Name())
			return nil, nil, fmt.Errorf("exited during startup: %s", strings.TrimSpace(string(log)))
		case <-time.After(20 * time.Millisecond):
		}
		if conn, err := net.Dial("tcp", s.Addr); err == nil {
			conn.Close()
			return s, stop, nil
		}
	}
	stop()
	return nil, nil, fmt.Errorf("nothing listens on %s", s.Addr)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
