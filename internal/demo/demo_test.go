package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestSampleHostsMatchShippedInventory(t *testing.T) {
	shipped, findings, err := inventory.Load(filepath.Join("..", "..", "hosts.toml"))
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	hosts := SampleHosts(9)
	if len(hosts) != len(shipped.Hosts) {
		t.Fatalf("the demo has %d hosts, hosts.toml has %d", len(hosts), len(shipped.Hosts))
	}
	for i, h := range shipped.Hosts {
		o := hosts[i]
		if o.Name != h.Name || o.Kind != string(h.Kind) || o.Wave != h.Wave || o.Color != h.Color || o.Attr() != h.Attr ||
			o.SkipOffline != h.SkipOffline || strings.Join(o.Tags, " ") != strings.Join(h.Tags, " ") {
			t.Errorf("the demo's host %+v is not hosts.toml's %+v", o, *h)
		}
	}
}

func TestInventoryHasNoFindings(t *testing.T) {
	f := start(t, Options{Hosts: SampleHosts(11)})
	inv, findings, err := inventory.Load(f.Inventory)
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	if got := inv.Hosts[10]; got.Name != "demo011" || got.Port != f.Server("demo011").Port() {
		t.Errorf("the last host is %+v", *got)
	}
}

func TestNewHostsAreBehindAndRunTheirCheckout(t *testing.T) {
	f := start(t, Options{Hosts: trio()})
	newest := f.tip(t)
	for _, host := range []string{"web", "mac", "desk"} {
		rev := f.sh(t, host, "git -C ~/Code/nixcfg rev-parse HEAD").ok(t)
		if rev == newest {
			t.Errorf("%s: the checkout is not behind", host)
		}
		built := f.sh(t, host, build(host)+"; cd built && pwd -P").ok(t)
		running := f.sh(t, host, "cd "+profile(host)+" && pwd -P").ok(t)
		if built != running {
			t.Errorf("%s: runs %s, its checkout builds %s", host, running, built)
		}
	}
	if got := f.sh(t, "web", "\"$FLEETCTL_ROOT\"/run/current-system/sw/bin/nixos-version --json").ok(t); !strings.Contains(got, f.sh(t, "web", "git -C ~/Code/nixcfg rev-parse HEAD").out) {
		t.Errorf("nixos-version printed %s", got)
	}
}

func TestDirtyHostHasDirtyCheckout(t *testing.T) {
	hosts := trio()
	hosts[0].Dirty = true
	f := start(t, Options{Hosts: hosts})
	if got := f.sh(t, "web", "git -C ~/Code/nixcfg status --porcelain").ok(t); got != "M flake.nix" {
		t.Errorf("status: %q", got)
	}
}

func TestReopenedFleetKeepsItsSystems(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a fleet")
	f := start(t, Options{Dir: dir, Hosts: trio()})
	f.sh(t, "web", "git -C ~/Code/nixcfg pull -q; "+build("web")+"; "+activate("web")).ok(t)
	running := f.sh(t, "web", "cd \"$FLEETCTL_ROOT/run/current-system\" && pwd -P").ok(t)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = start(t, Options{Dir: dir, Hosts: trio()})
	if got := f.sh(t, "web", "cd \"$FLEETCTL_ROOT/run/current-system\" && pwd -P").ok(t); got != running {
		t.Errorf("before: %s, after: %s", running, got)
	}
}

func TestStartRejectsForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "hosts", "web", "default.nix") // as in many repositories
	if err := os.MkdirAll(filepath.Dir(foreign), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(foreign, []byte("{ }"), 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err := Start(t.Context(), Options{Dir: dir, Hosts: trio()[:1]}); err == nil || !strings.Contains(err.Error(), "is not empty and was not created by the demo") {
		if f != nil {
			f.Close()
		}
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the directory now holds %v", entries)
	}
}

func TestStartRejectsDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	start(t, Options{Dir: dir, Hosts: trio()[:1]})
	if f, err := Start(t.Context(), Options{Dir: dir, Hosts: trio()[:1]}); err == nil || !strings.Contains(err.Error(), "in use") {
		f.Close()
		t.Errorf("second start: %v", err)
	}
}

func TestReopenedFleetRejectsNewHosts(t *testing.T) {
	dir := t.TempDir()
	if err := start(t, Options{Dir: dir, Hosts: trio()[:1]}).Close(); err != nil {
		t.Fatal(err)
	}
	if f, err := Start(t.Context(), Options{Dir: dir, Hosts: trio()}); err == nil || !strings.Contains(err.Error(), `was created without the host "mac"`) {
		f.Close()
		t.Errorf("got %v", err)
	}
}

func TestCanceledStartLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if f, err := Start(ctx, Options{Hosts: SampleHosts(30)}); err == nil {
		f.Close()
		t.Fatal("the start was not canceled")
	}
	if entries, _ := os.ReadDir(os.Getenv("TMPDIR")); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestCloseKillsJobsAndRemovesDirectory(t *testing.T) {
	f := start(t, Options{Hosts: trio()})
	dir := filepath.Join(f.Root("web"), "home", "mba", ".local", "state", "fleetctl", "jobs", "j1")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	job := exec.Command("/bin/sh", "-c", "while :; do sleep 0.05; echo >>alive; done")
	job.Dir = dir
	job.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
	if err := write(filepath.Join(dir, "pid"), fmt.Sprintf("%d boot\n", job.Process.Pid), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- job.Wait() }()
	select {
	case <-exited:
	case <-time.After(10 * time.Second):
		t.Error("the job is still running")
		_ = job.Process.Kill()
		<-exited
	}
	if _, err := os.Stat(f.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory still exists: %v", err)
	}
}

func TestHostsAcceptOnlyTheOperatorsKey(t *testing.T) {
	f := start(t, Options{Hosts: trio()})
	other, err := newOperatorKey()
	if err != nil {
		t.Fatal(err)
	}
	if client, err := f.dial("web", other.private); err == nil {
		client.Close()
		t.Error("another key was accepted")
	}
}
