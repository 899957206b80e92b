package agent

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

const (
	store    = "/nix/store/"
	revision = "4a3d9cf0b1c2d3e4f5061728394a5b6c7d8e9f00"
)

// aHost is a NixOS host in a directory: generation 42 runs, 41 was booted, with another kernel.
func aHost(t *testing.T) Host {
	t.Helper()
	root := t.TempDir()
	for _, system := range []string{"old", "new"} {
		write(t, root+store+system+"/kernel", system)
		write(t, root+store+system+"/initrd", "the same")
		write(t, root+store+system+"/nixos-version", "26.05")
		write(t, root+store+system+"/sw/bin/nixos-version", "#!/bin/sh\necho '{\"configurationRevision\":\""+revision+"\"}'\n")
	}
	write(t, root+store+"abc-nix-2.31.2/bin/nix", "")
	write(t, root+"/etc/os-release", "ID=nixos\nNAME=NixOS\nVERSION_ID=\"26.05\"\n")
	link(t, root+store+"abc-nix-2.31.2/bin/nix", root+store+"new/sw/bin/nix")
	link(t, root+store+"new", root+"/run/current-system")
	link(t, root+store+"old", root+"/run/booted-system")
	link(t, root+store+"new", root+"/nix/var/nix/profiles/system-42-link")
	link(t, "system-42-link", root+"/nix/var/nix/profiles/system")
	return Host{Root: root, Home: root + "/home/mba", User: "mba", Agent: "0.1.0"}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// link points a link, new or there already, at a target.
func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(path)
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// socketPath is short enough for a socket wherever temporary files are.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "agent.sock")
}

// anAgent serves until the test ends, and returns the way to connect to it.
func anAgent(t *testing.T, change func(*Options)) (path string, left <-chan error) {
	t.Helper()
	o := Options{Host: aHost(t), Limits: DefaultLimits()}
	o.Limits.Requests = 10_000
	if change != nil {
		change(&o)
	}
	path = socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done, seen := make(chan error, 1), make(chan struct{})
	go func() { done <- Serve(ctx, l, o); close(seen) }()
	t.Cleanup(func() { stop(); <-seen })
	return path, done
}

// web is an HTTP client of a socket; it keeps no connections.
func web(t *testing.T, path string) *http.Client {
	t.Helper()
	dial := health.DialSocket(path)
	return &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		},
	}
}

func get(t *testing.T, c *http.Client, path string) (status int, body string) {
	t.Helper()
	answer, err := c.Get("http://agent" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
