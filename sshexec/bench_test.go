package sshexec

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// startServerProcess starts a server in another process, so that benchmarks measure only the
// client. The server answers every script with about the given number of bytes.
func startServerProcess(t testing.TB, bytes int) (*testHome, Target) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", envServe, max(bytes, 1)))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	port, known, _ := strings.Cut(line, " ")
	home := newTestHome(t)
	home.write("known_hosts", "%s", known)
	home.write("config", "Host web\n  HostName 127.0.0.1\n  Port %s\n", port)
	return home, Target{Name: "web"}
}

// memoryPerConnection opens connections and returns the memory that each uses in this process, in
// bytes.
func memoryPerConnection(t testing.TB, connections int) float64 {
	t.Helper()
	home, web := startServerProcess(t, 1)
	p := NewPool(home.Options)
	defer p.Close()
	home.dial(p, web) // allocates what all connections share
	ctx := home.ctx()
	memoryInUse := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := memoryInUse()
	var wg sync.WaitGroup
	const workers = 20
	for range workers {
		wg.Go(func() {
			for range connections / workers {
				c, err := p.Dial(ctx, web)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := c.Run(ctx, Command{Script: "true"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return float64(memoryInUse()-before) / float64(connections/workers*workers)
}

func BenchmarkIdleConnections(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(memoryPerConnection(b, 1000)/1024, "KiB/connection")
	}
}

func BenchmarkDialAndRun(b *testing.B) {
	home, web := startServerProcess(b, 1)
	p := home.pool()
	for b.Loop() {
		c, err := p.Dial(home.ctx(), web)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Run(home.ctx(), Command{Script: "true", Args: []string{"an argument"}}); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}

func BenchmarkRun(b *testing.B) {
	home, web := startServerProcess(b, 1)
	c := home.dial(home.pool(), web)
	for b.Loop() {
		if _, err := c.Run(home.ctx(), Command{Script: "true"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRunComparedWithControlMaster runs a script on an open connection to a real sshd, and the
// same with an ssh that uses the connection of a ControlMaster. It reports the ratio of the
// fastest of each, which depends least on what else the machine does, and the same for what the
// library takes to run the same command line.
func BenchmarkRunComparedWithControlMaster(b *testing.B) {
	home, d, web := startRealHost(b, sshtest.SSHDOptions{})
	dir, err := os.MkdirTemp("", "mux") // socket paths are limited to about 100 bytes
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	home.write("config", "Host web\n  HostName 127.0.0.1\n  Port %d\n  User %s\n  IdentityFile %s\n  UserKnownHostsFile %s\n  ControlPath %s/s\n",
		d.Port, d.User, d.KeyFile, home.path("known_hosts"), dir)
	ssh := func(args ...string) *exec.Cmd {
		return exec.Command("ssh", append([]string{"-F", home.path("config")}, args...)...)
	}
	master := ssh("-M", "-N", "web")
	if err := master.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = master.Process.Kill(); _ = master.Wait() }()
	deadline := time.Now().Add(20 * time.Second)
	for ssh("-O", "check", "web").Run() != nil {
		if time.Now().After(deadline) {
			b.Fatal("the master does not answer")
		}
		time.Sleep(10 * time.Millisecond)
	}
	c := home.dial(home.pool(), web)
	var took [3][]time.Duration
	for b.Loop() {
		for i, run := range []func() error{
			func() error { _, err := c.Run(home.ctx(), Command{Script: "true"}); return err },
			func() error { return ssh("web", "true").Run() },
			func() error {
				session, err := c.client.NewSession()
				if err != nil {
					return err
				}
				defer session.Close()
				session.Stdin = strings.NewReader("exit\n")
				return session.Run(commandLine)
			},
		} {
			start := time.Now()
			if err := run(); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	fastest := func(i int) float64 { return float64(slices.Min(took[i])) }
	b.ReportMetric(fastest(0)/fastest(1), "of-ssh")
	b.ReportMetric(fastest(2)/fastest(1), "library-of-ssh")
}

func BenchmarkRunOutput(b *testing.B) {
	const size = 64 << 20
	home, web := startServerProcess(b, size)
	c := home.dial(home.pool(), web)
	b.SetBytes(size)
	for b.Loop() {
		var n counter
		if _, err := c.Run(home.ctx(), Command{Script: "true", Stdout: &n}); err != nil || n < size {
			b.Fatal(n, err)
		}
	}
}

// cpuSeconds returns the CPU time that this process has used.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// BenchmarkLoginOn100Hosts logs in to a hundred hosts, with ten thousand other hosts in
// known_hosts: under their names, or hashed.
func BenchmarkLoginOn100Hosts(b *testing.B) {
	home, web := startServerProcess(b, 1)
	s, err := home.pool().Resolve(home.ctx(), web)
	if err != nil {
		b.Fatal(err)
	}
	_, key, _ := strings.Cut(home.read("known_hosts"), " ")
	other := string(ssh.MarshalAuthorizedKey(newSigner(b, "").PublicKey()))
	for name, known := range map[string]func(name string) string{
		"plain": func(name string) string { return name }, "hashed": hashedHostName,
	} {
		var text strings.Builder
		for i := range 10_000 {
			key := key
			if i >= 100 {
				key = other
			}
			text.WriteString(known(fmt.Sprintf("[127.0.%d.%d]:%d", 1+i/200, 1+i%200, s.Port)) + " " + key)
		}
		home.write("known_hosts", "%s", text.String())
		b.Run(name, func(b *testing.B) {
			before := cpuSeconds()
			for b.Loop() {
				p := NewPool(home.Options)
				var logins sync.WaitGroup
				for i := range 100 {
					logins.Go(func() {
						c, err := p.Dial(home.ctx(), Target{Name: "host", Address: fmt.Sprintf("127.0.%d.%d", 1+i/200, 1+i%200), Port: s.Port})
						if err != nil {
							b.Error(err)
							return
						}
						if _, err := c.Run(home.ctx(), Command{Script: "true"}); err != nil {
							b.Error(err)
						}
					})
				}
				logins.Wait()
				p.Close()
			}
			b.ReportMetric((cpuSeconds()-before)*1000/float64(b.N)/100, "CPU-ms/host")
		})
	}
}

// BenchmarkResolveThousandTargets resolves a thousand targets, including the time to read the
// configuration: one with a single block, one with ten thousand, and one with odd lines.
func BenchmarkResolveThousandTargets(b *testing.B) {
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, "Host h%d\n  HostName 10.0.0.1\n  User bob\n", i)
	}
	for name, config := range map[string]string{
		"plain": "Host *\n  User bob\n", "ten thousand blocks": many.String(),
		"odd": "Host \"x y\"\n  Port 9\nMatch host h1,h2? user bob\n  Port 23\nHost h?5 # odd\n  User \"al\"\nHost *\n  User bob\n",
	} {
		b.Run(name, func(b *testing.B) {
			home := newTestHome(b)
			home.write("config", "%s", config)
			home.ConfigFile = home.path("config")
			for b.Loop() {
				p := NewPool(home.Options)
				for i := range 1000 {
					if _, err := p.Resolve(b.Context(), Target{Name: fmt.Sprintf("h%d", i)}); err != nil {
						b.Fatal(err)
					}
				}
				p.Close()
			}
		})
	}
}
