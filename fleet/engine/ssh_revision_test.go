package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// TestHostileTipDoesNotReachOtherHosts gives the run a commit that only one host has put forward: a
// contributor's branch. It is what an operator confirms who is shown only hosts' answers.
func TestHostileTipDoesNotReachOtherHosts(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "mac", Kind: "darwin", User: "mba", Wave: 1})
	good := fleettest.Git(t, f.Origin, "rev-parse", "main")
	author := t.TempDir()
	fleettest.Git(t, author, "clone", "-q", f.Origin, ".")
	fleettest.Git(t, author, "switch", "-q", "-c", "contributor")
	fleettest.Git(t, author, "commit", "-q", "--allow-empty", "-m", "unreviewed")
	fleettest.Git(t, author, "push", "-q", "origin", "contributor")
	evil := fleettest.Git(t, author, "rev-parse", "HEAD")
	// The branch is known to the hosts, as after a git fetch.
	for _, h := range []string{"web", "mac"} {
		fleettest.Git(t, f.Checkout(h, "mba"), "fetch", "-q")
	}
	runs := f.Health("mac").System.Deployed

	state := f.Run(fleet.Options{Pinned: fleet.Revision{Commit: evil}})
	for _, h := range state.Hosts {
		if r := h.Result; r.Outcome != fleet.Failed || r.Code != "off-branch" || !strings.Contains(r.Reason, evil) || r.Hint == "" {
			t.Errorf("%s: %+v", h.Name, r)
		}
	}
	if now := f.Health("mac"); now.System.Deployed != runs || now.Checkout.Revision == evil {
		t.Errorf("%+v", now)
	}

	var tips []host.Tip
	f.Client.Tips(t.Context(), f.Inv.Hosts, func(tip host.Tip) { tips = append(tips, tip) })
	if len(tips) != 2 || tips[0].Commit != good || tips[1].Commit != good {
		t.Errorf("the hosts report %+v", tips)
	}
}

// TestTrialIsShownAndEnded tries a branch on one host, and returns with a deploy of the fleet's.
func TestTrialIsShownAndEnded(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	main := fleettest.Git(t, f.Origin, "rev-parse", "main")
	author := t.TempDir()
	fleettest.Git(t, author, "clone", "-q", f.Origin, ".")
	fleettest.Git(t, author, "switch", "-q", "-c", "try-x")
	fleettest.Git(t, author, "commit", "-q", "--allow-empty", "-m", "try")
	fleettest.Git(t, author, "push", "-q", "origin", "try-x")
	tried := fleettest.Git(t, author, "rev-parse", "HEAD")

	state := f.Run(fleet.Options{Rev: "try-x"})
	if r := state.Host("web").Result; r.Outcome != fleet.Switched || r.After != tried || state.Start.Named != "refs/heads/try-x" {
		t.Fatalf("%+v, run %+v", r, state.Start)
	}
	if last := state.LastRun("web"); last.Trial != "refs/heads/try-x" || last.Checkout != tried {
		t.Errorf("%+v", last)
	}
	h := f.Health("web")
	if h.Checkout.Trial != "refs/heads/try-x" || h.System.Revision != tried {
		t.Errorf("%+v, %+v", h.System, h.Checkout)
	}
	if preview := f.Preview(fleet.Options{}, main, false); preview.Problem != "" || preview.Err != nil {
		t.Errorf("a plan to return: %+v", preview)
	}

	state = f.Run(fleet.Options{})
	if r := state.Host("web").Result; r.Outcome != fleet.Switched || r.After != main {
		t.Errorf("%+v", r)
	}
	if h := f.Health("web"); h.Checkout.Trial != "" || h.Checkout.Branch != "main" || h.Checkout.Revision != main || h.Checkout.Dirty {
		t.Errorf("%+v", h.Checkout)
	}
}

// TestHostsThatBuildFromDifferentFilesAreReported has a filter of git on one host only.
func TestHostsThatBuildFromDifferentFilesAreReported(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "mac", Kind: "darwin", User: "mba", Wave: 1})
	_, state := f.Deploy(t.Context(), func(fleet.Event) {}, "new-kernel")
	sum := state.Summary
	if hash := state.Host("web").Result.NarHash; hash == "" || hash != state.Host("mac").Result.NarHash || len(sum.Warnings) > 0 {
		t.Fatalf("the hashes are %q and %q, the warnings %q", hash, state.Host("mac").Result.NarHash, sum.Warnings)
	}
	dir := f.Checkout("mac", "mba")
	fleettest.Git(t, dir, "config", "filter.upper.smudge", "tr a-z A-Z")
	fleettest.Git(t, dir, "config", "filter.upper.clean", "tr A-Z a-z")
	info := filepath.Join(dir, ".git/info")
	if err := os.MkdirAll(info, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(info, "attributes"), []byte("/hosts/web filter=upper\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	rev, state := f.Deploy(t.Context(), func(fleet.Event) {}, "no-op")
	sum = state.Summary
	if sum.ExitCode != fleet.ExitOK || len(sum.Warnings) != 1 {
		t.Fatalf("exit code %d, warnings %q", sum.ExitCode, sum.Warnings)
	}
	for _, part := range []string{rev[:7], "web (sha256-", "mac (sha256-"} {
		if !strings.Contains(sum.Warnings[0], part) {
			t.Errorf("no %q in %q", part, sum.Warnings[0])
		}
	}
	records, err := f.Engine.Records.List()
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := records[0].State()
	if err != nil || !slices.Equal(recorded.Summary.Warnings, sum.Warnings) {
		t.Errorf("recorded %+v, %v", recorded.Summary, err)
	}
}
