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
	storeDir = "/nix/store/"
	revision = "4a3d9cf0b1c2d3e4f5061728394a5b6c7d8e9f00"
)

// newHost returns a NixOS host in a directory. Generation 42 runs; the booted system has a
// different kernel.
func newHost(t *testing.T) Host {
	t.Helper()
	root := t.TempDir()
	for _, system := range []string{"old", "new"} {
		write(t, root+storeDir+system+"/kernel", system)
		write(t, root+storeDir+system+"/initrd", "same")
		write(t, root+storeDir+system+"/nixos-version", "26.05")
		write(t, root+storeDir+system+"/sw/bin/nixos-version", "#!/bin/sh\necho '{\"configurationRevision\":\""+revision+"\"}'\n")
	}
	write(t, root+storeDir+"abc-nix-2.31.2/bin/nix", "")
	write(t, root+"/etc/os-release", "ID=nixos\nNAME=NixOS\nVERSION_ID=\"26.05\"\n")
	link(t, root+storeDir+"abc-nix-2.31.2/bin/nix", root+storeDir+"new/sw/bin/nix")
	link(t, root+storeDir+"new", root+"/run/current-system")
	link(t, root+storeDir+"old", root+"/run/booted-system")
	link(t, root+storeDir+"new", root+"/nix/var/nix/profiles/system-42-link")
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

// link creates or replaces a symbolic link.
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

// socketPath returns a path that is short enough for a socket, which the paths of t.TempDir may not
// be.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "agent.sock")
}

// startAgent serves until the test ends. It returns the socket and a channel that receives the
// error of Serve.
func startAgent(t *testing.T, change func(*Options)) (path string, served <-chan error) {
	t.Helper()
	o := Options{Host: newHost(t), Limits: DefaultLimits()}
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
	result, done := make(chan error, 1), make(chan struct{})
	go func() { result <- Serve(ctx, l, o); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return path, result
}

// newHTTPClient returns an HTTP client of a socket that does not reuse connections.
func newHTTPClient(t *testing.T, path string) *http.Client {
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
	resp, err := c.Get("http://agent" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
