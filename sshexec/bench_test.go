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

// elsewhere starts a server in another process, so that what is measured here is the client alone.
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
	w := newTestHome(t)
	w.write("known_hosts", "%s", known)
	w.write("config", "Host web\n  HostName 127.0.0.1\n  Port %s\n", port)
	return w, Target{Name: "web"}
}

// idle opens so many connections and returns what each takes of this process's memory, in bytes.
func memoryPerConnection(t testing.TB, connections int) float64 {
	t.Helper()
	w, web := startServerProcess(t, 1)
	p := NewPool(w.Options)
	defer p.Close()
	w.dial(p, web) // what all share is there now
	memory := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := memory()
	var wg sync.WaitGroup
	const workers = 20
	for range workers {
		wg.Go(func() {
			for range connections / workers {
				c := w.dial(p, web)
				if _, err := c.Run(w.ctx(), Command{Script: "true"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return float64(memory()-before) / float64(connections/workers*workers)
}

func BenchmarkIdleConnections(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(memoryPerConnection(b, 1000)/1024, "KiB/connection")
	}
}

func BenchmarkDialAndRun(b *testing.B) {
	w, web := startServerProcess(b, 1)
	p := w.pool()
	for b.Loop() {
		c, err := p.Dial(w.ctx(), web)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Run(w.ctx(), Command{Script: "true", Args: []string{"an argument"}}); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}

func BenchmarkRunOnAnOpenConnection(b *testing.B) {
	w, web := startServerProcess(b, 1)
	c := w.dial(w.pool(), web)
	for b.Loop() {
		if _, err := c.Run(w.ctx(), Command{Script: "true"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLogLines(b *testing.B) {
	const size = 64 << 20
	w, web := startServerProcess(b, size)
	c := w.dial(w.pool(), web)
	b.SetBytes(size)
	for b.Loop() {
		var n counter
		if _, err := c.Run(w.ctx(), Command{Script: "true", Stdout: &n}); err != nil || n < size {
			b.Fatal(n, err)
		}
	}
}
