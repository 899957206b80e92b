package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
	"github.com/markus-barta/nixfleet/internal/testmain"
)

// TestMain runs the tests of this package. Those that use SSH mostly wait.
func TestMain(m *testing.M) { testmain.Run(m) }

func TestStatusOfEveryKind(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "mac", Kind: "darwin", User: "mba", Wave: 1},
		demo.Host{Name: "desk", Kind: "home", User: "markus", Wave: 1})
	for _, host := range f.Inv.Hosts {
		h := f.Health(host.Name)
		c := h.Checkout
		if c == nil || len(c.Revision) != 40 || c.Branch != "main" || c.Behind == 0 || c.Dirty || c.Subject == "" {
			t.Fatalf("%s: checkout %+v", host.Name, c)
		}
		s := h.System
		if s.Revision != c.Revision || s.Deployed == "" || s.Deployed != s.Profile ||
			s.Generation != 1 || s.GenerationTime == nil || s.BootPending || s.RebootNeeded {
			t.Errorf("%s: system %+v", host.Name, s)
		}
		if h.Host != host.Name || h.Kind != string(host.Kind) || h.Nix != "2.31.2" {
			t.Errorf("%s: %+v", host.Name, h)
		}
	}
	if h := f.Health("web"); h.OS != "NixOS 26.05" || h.System.Booted != h.System.Deployed {
		t.Errorf("web: %+v", h)
	}
}

func TestStatusAfterDeploy(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	rev, _ := f.Deploy(t.Context(), func(fleet.Event) {}, "new-kernel")
	h := f.Health("web")
	if h.System.Revision != rev || h.Checkout.Revision != rev || h.System.Generation != 2 {
		t.Errorf("%+v at %+v, want %s", h.System, h.Checkout, rev)
	}
	if !h.System.RebootNeeded || h.System.BootPending {
		t.Errorf("%+v", h.System)
	}
}

func TestStatusLeavesCheckoutUntouched(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	dir := f.Checkout("web", "mba")
	lock := func() string { return f.Health("web").Checkout.Lock }
	if err := os.Remove(filepath.Join(dir, "flake.lock")); err != nil {
		t.Fatal(err)
	}
	if lock() != "" {
		t.Errorf("unexpected lock %q", lock())
	}
	if err := os.WriteFile(filepath.Join(dir, "flake.lock"), []byte("{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	first := lock()
	fleettest.Git(t, dir, "add", "flake.lock")
	fleettest.Git(t, dir, "commit", "-q", "-m", "a commit of its own")
	if h := f.Health("web"); h.Checkout.Ahead != 1 || h.Checkout.Dirty || h.Checkout.Subject != "a commit of its own" {
		t.Errorf("%+v", h.Checkout)
	}
	if err := os.WriteFile(filepath.Join(dir, "flake.lock"), []byte("{ }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	// As after touch: git status would now like to refresh the index.
	if err := os.Chtimes(filepath.Join(dir, "flake.nix"), time.Now(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, filepath.Join(dir, ".git"))
	h := f.Health("web")
	if !h.Checkout.Dirty || h.Checkout.Lock == first || first == "" {
		t.Errorf("%+v, previous lock %q", h.Checkout, first)
	}
	if after := snapshot(t, filepath.Join(dir, ".git")); after != before {
		t.Errorf("the repository changed from\n%s\nto\n%s", before, after)
	}
}

// snapshot lists every file below a directory with its modification time.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			b.WriteString(path + " " + info.ModTime().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStatusReportsRunningJob(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	var job *health.Job
	f.Deploy(t.Context(), func(ev fleet.Event) {
		if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
			job = f.Health("web").Job
		}
	}, "slow-build 1")
	if job == nil || job.Who != "me@here" || !strings.HasSuffix(job.ID, ".web") || job.Since == nil || job.Step != "build" {
		t.Errorf("during the job: %+v", job)
	}
	if job := f.Health("web").Job; job != nil {
		t.Errorf("after the job: %+v", job)
	}
}

func TestStatusReportsUnreachableHost(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "api", Kind: "nixos", User: "mba", Wave: 1})
	f.Addresses["web"] = "127.0.0.1:1"
	found := f.Status()
	if s := found["web"]; s.Reachable || s.Err == nil || s.Health != nil {
		t.Errorf("web: %+v", s)
	}
	if s := found["api"]; s.Err != nil {
		t.Errorf("api: %+v", s)
	}
}
