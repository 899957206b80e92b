package health

import (
	"strings"
	"testing"
)

const target, older = "2222222222222222222222222222222222222222", "1111111111111111111111111111111111111111"

// wellKept is a host that is as wanted.
func wellKept() Health {
	return Health{
		System:   System{Deployed: "/nix/store/a", Profile: "/nix/store/a", Revision: target},
		Checkout: &Checkout{Revision: target, Branch: "main", Lock: "l1"},
	}
}

func TestDriftNamesEverythingThatIsNotAsWanted(t *testing.T) {
	want := Wanted{Revision: target, Branch: "main", Lock: "l1"}
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
		{"dirty", func(h *Health) { h.Checkout.Dirty = true }, "changes that are not committed"},
		{"another branch", func(h *Health) { h.Checkout.Branch = "try" }, "on try"},
		{"no branch", func(h *Health) { h.Checkout.Branch = "" }, "on no branch"},
		{"another lock", func(h *Health) { h.Checkout.Lock = "l2" }, "another flake.lock"},
		{"not deployed", func(h *Health) { h.System.Revision = older }, "runs 1111111"},
		{"deployed by hand", func(h *Health) { h.System.Revision = target + "-dirty" }, "runs 2222222-dirty"},
		{"does not know what it runs", func(h *Health) { h.System.Revision = "" }, "what runs does not tell its revision"},
		{"does not know that anything runs", func(h *Health) { h.System = System{} }, "what runs is not known"},
		{"no checkout was seen", func(h *Health) { h.Checkout = nil }, ""},
		{"a boot pending", func(h *Health) { h.System.BootPending = true }, "another system starts at the next boot"},
		{"a new kernel", func(h *Health) { h.System.RebootNeeded = true }, "a reboot is needed"},
		{"failed units", func(h *Health) { h.FailedUnits = []string{"a.service", "b.mount"} }, "failed: a.service b.mount"},
		{"much", func(h *Health) { h.Checkout.Dirty, h.System.RebootNeeded = true, true }, "changes that are not committed; a reboot is needed"},
	} {
		h := wellKept()
		test.spoil(&h)
		if got := h.Drift(want).String(); got != test.drift {
			t.Errorf("%s: %q, want %q", test.name, got, test.drift)
		}
	}
}

func TestWithoutATargetTheCheckoutsOwnCountsHaveToDo(t *testing.T) {
	h := wellKept()
	h.System.Revision = older
	if d := h.Drift(Wanted{}); len(d) > 0 {
		t.Errorf("drift %v", d)
	}
	h.Checkout.Behind = 2
	if d := h.Drift(Wanted{}); !d.Has(Behind) || len(d) != 1 {
		t.Errorf("drift %v", d)
	}
}

func TestTheUsualLockIsThatOfTheTargetElseOfMostHosts(t *testing.T) {
	hosts := func(locks ...string) (all []Health) {
		for _, lock := range locks {
			h := wellKept()
			h.Checkout.Revision, h.Checkout.Lock = older, lock
			if strings.HasPrefix(lock, "target") {
				h.Checkout.Revision = target
			}
			all = append(all, h)
		}
		return append(all, Health{})
	}
	for _, test := range []struct {
		locks []string
		want  string
	}{
		{nil, ""},
		{[]string{"a", "b"}, ""},
		{[]string{"a", "b", "b"}, "b"},
		{[]string{"a", "a", "target"}, "target"},
		{[]string{"", "", "a"}, ""},
	} {
		if got := UsualLock(target, hosts(test.locks...)); got != test.want {
			t.Errorf("%q: %q, want %q", test.locks, got, test.want)
		}
	}
}
