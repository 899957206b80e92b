package health

import "testing"

const target, older = "2222222222222222222222222222222222222222", "1111111111111111111111111111111111111111"

// upToDate returns a host that is at the target.
func upToDate() Health {
	return Health{
		System:   System{Deployed: "/nix/store/a", Profile: "/nix/store/a", Revision: target},
		Checkout: &Checkout{Revision: target, Branch: "main", Lock: "l1"},
	}
}

func TestDriftListsEveryDifference(t *testing.T) {
	to := Target{Revision: target, Branch: "main", Lock: "l1"}
	for _, test := range []struct {
		name  string
		spoil func(h *Health)
		drift string
	}{
		{"nothing", func(h *Health) {}, ""},
		{"fetched and not pulled", func(h *Health) { h.Checkout.Revision, h.Checkout.Behind = older, 3 }, "3 behind"},
		{"not even fetched", func(h *Health) { h.Checkout.Revision = older }, "behind"},
		{"not pushed", func(h *Health) { h.Checkout.Revision, h.Checkout.Ahead = older, 1 }, "1 ahead"},
		{"diverged", func(h *Health) { h.Checkout.Revision, h.Checkout.Ahead, h.Checkout.Behind = older, 1, 2 }, "diverged, 1 ahead and 2 behind"},
		{"counts of an old fetch", func(h *Health) { h.Checkout.Ahead = 4 }, ""},
		{"dirty", func(h *Health) { h.Checkout.Dirty = true }, "uncommitted changes"},
		{"another branch", func(h *Health) { h.Checkout.Branch = "try" }, "on try"},
		{"no branch", func(h *Health) { h.Checkout.Branch = "" }, "on no branch"},
		{"on trial of a branch", func(h *Health) {
			h.Checkout.Branch, h.Checkout.Trial, h.Checkout.Revision, h.Checkout.Ahead, h.System.Revision = "", "refs/heads/try-x", older, 1, older
		}, "on branch try-x; runs 1111111"},
		{"on trial of a tag", func(h *Health) { h.Checkout.Branch, h.Checkout.Trial = "", "refs/tags/v1" }, "on tag v1"},
		{"on trial of a commit", func(h *Health) { h.Checkout.Branch, h.Checkout.Trial = "", older }, "on commit 1111111"},
		{"another lock", func(h *Health) { h.Checkout.Lock = "l2" }, "different flake.lock"},
		{"unreported lock", func(h *Health) { h.Checkout.Lock = "" }, ""},
		{"not deployed", func(h *Health) { h.System.Revision = older }, "runs 1111111"},
		{"deployed by hand", func(h *Health) { h.System.Revision = target + "-dirty" }, "runs 2222222-dirty"},
		{"running system without a revision", func(h *Health) { h.System.Revision = "" }, "running system does not report its revision"},
		{"running system unknown", func(h *Health) { h.System = System{} }, "running system unknown"},
		{"no checkout", func(h *Health) { h.Checkout = nil }, ""},
		{"a boot pending", func(h *Health) { h.System.BootPending = true }, "different system at the next boot"},
		{"a new kernel", func(h *Health) { h.System.RebootNeeded = true }, "reboot needed"},
		{"failed units", func(h *Health) { h.FailedUnits = []string{"a.service", "b.mount"} }, "failed units: a.service b.mount"},
		{"several differences", func(h *Health) { h.Checkout.Dirty, h.System.RebootNeeded = true, true }, "uncommitted changes; reboot needed"},
	} {
		h := upToDate()
		test.spoil(&h)
		if got := h.Drift(to).String(); got != test.drift {
			t.Errorf("%s: %q, want %q", test.name, got, test.drift)
		}
	}
}

func TestDriftAllowsAManagedCheckoutToBeOnNoBranch(t *testing.T) {
	h := upToDate()
	h.Checkout.Branch = ""
	managed := Target{Revision: target, Branch: "main", Managed: true}
	if d := h.Drift(managed); len(d) > 0 {
		t.Errorf("drift %v", d)
	}
	h.Checkout.Trial = "refs/heads/try" // which has become the branch since
	if d := h.Drift(managed); len(d) > 0 {
		t.Errorf("drift %v", d)
	}
	h.Checkout.Revision = older
	if d := h.Drift(managed); !d.Has(OnTrial) || len(d) != 1 {
		t.Errorf("drift %v", d)
	}
}

func TestDriftWithoutTargetUsesTheCheckoutsOwnCounts(t *testing.T) {
	h := upToDate()
	h.System.Revision = older
	if d := h.Drift(Target{}); len(d) > 0 || d == nil {
		t.Errorf("drift %v", d)
	}
	h.Checkout.Behind = 2
	if d := h.Drift(Target{}); !d.Has(Behind) || len(d) != 1 {
		t.Errorf("drift %v", d)
	}
}

func TestDriftHasAnyOfSeveralCodes(t *testing.T) {
	d := Drift{{Code: Dirty}, {Code: OtherLock}}
	if !d.Has(Behind, OtherLock) || d.Has(Behind, Ahead) || d.Has() {
		t.Error("Has is wrong about", d)
	}
}

func TestUsualLockIsTheTargetsOrElseThatOfMostHosts(t *testing.T) {
	checkout := func(revision, lock string, dirty bool) *Checkout {
		return &Checkout{Revision: revision, Lock: lock, Dirty: dirty}
	}
	for _, test := range []struct {
		name      string
		revision  string
		checkouts []*Checkout
		want      string
	}{
		{"no hosts", target, nil, ""},
		{"no two alike", target, []*Checkout{checkout(older, "a", false), checkout(older, "b", false)}, ""},
		{"most hosts", target, []*Checkout{checkout(older, "a", false), checkout(older, "b", false), nil, checkout(older, "b", false)}, "b"},
		{"first of two with as many", target, []*Checkout{checkout(older, "a", false), checkout(older, "a", false), checkout(older, "b", false), checkout(older, "b", false)}, "a"},
		{"more hosts later", target, []*Checkout{checkout(older, "a", false), checkout(older, "a", false), checkout(older, "b", false), checkout(older, "b", false), checkout(older, "b", false)}, "b"},
		{"target before most hosts", target, []*Checkout{checkout(older, "a", false), checkout(older, "a", false), checkout(target, "t", false)}, "t"},
		{"modified target", target, []*Checkout{checkout(older, "a", false), checkout(older, "a", false), checkout(target, "t", true)}, "a"},
		{"unreported locks", target, []*Checkout{checkout(older, "", false), checkout(older, "", false), checkout(target, "", false)}, ""},
		{"unknown target", "", []*Checkout{checkout("", "x", false), checkout(older, "a", false)}, ""},
	} {
		if got := UsualLock(test.revision, test.checkouts); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestShortKeepsTheSuffixOfADirtyRevision(t *testing.T) {
	for revision, want := range map[string]string{
		target: "2222222", target + "-dirty": "2222222-dirty", "abc": "abc", "": "", "abcdefg": "abcdefg", "release-2026.11": "release-2026.11",
	} {
		if got := Short(revision); got != want {
			t.Errorf("%q: %q, want %q", revision, got, want)
		}
	}
}
