package sshexec

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
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
				c := home.dial(p, web)
				if _, err := c.Run(home.ctx(), Command{Script: "true"}); err != nil {
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
