package tui

import (
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestQuestionWaitsForPromptAndDefaultsToCancel(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("/", "c")
	q := &question{Question: Question{Title: "is this csb0?", Lines: []string{"ssh-ed25519 SHA256:x"}, Yes: "Accept the key"}, answer: make(chan reply, 1)}
	d.send(askMsg{q})
	d.press("s", "b")
	if d.dialog != nil || d.list.filter != "csb" {
		t.Fatalf("the question interrupts the filter %q", d.list.filter)
	}
	d.press("enter")
	d.wantShown(t, "is this csb0?", "SHA256:x", "[▸No ]  [ Accept the key ]")
	d.press("enter")
	if r := <-q.answer; r.ok {
		t.Error("enter accepted without tab")
	}
	d.send(askMsg{q})
	d.press("tab", "enter")
	if r := <-q.answer; !r.ok {
		t.Error("tab and enter did not accept")
	}
}

func TestQuestionOffersChoices(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	q := &question{
		Question: Question{Title: "deploy which commit?", Lines: []string{"hosts report:"}, Yes: "Deploy it", No: "Cancel", Choices: []string{"aaaa  web api", "bbbb  odd"}},
		answer:   make(chan reply, 1),
	}
	d.send(askMsg{q})
	d.wantShown(t, "▸ aaaa  web api", "  bbbb  odd", "[▸Cancel ]  [ Deploy it ]")
	d.press("j", "tab", "enter")
	if r := <-q.answer; !r.ok || r.chosen != 1 {
		t.Errorf("the answer is %+v", r)
	}
}

func TestRunWithWarningsShowsThem(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.send(batchMsg{events: []fleet.Event{
		{Run: "r", Type: fleet.RunStarted, Start: &fleet.Start{Goal: "switch", Hosts: []fleet.PlannedHost{{Name: "hsb0"}}}},
		{Run: "r", Type: fleet.RunFinished, Summary: &fleet.Summary{Warnings: []string{"hosts have built commit 1111111 from different files"}}},
	}})
	d.wantShown(t, "hosts have built commit 1111111 from different files")
}

func TestUnknownKeyShowsWhatToDo(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.send(batchMsg{statuses: []Status{{Host: "csb0", Err: codedError("host-key-unknown"), Time: noon}}})
	d.wantShown(t, "unknown key: K")
	d.press("K")
	d.wantShown(t, "no key that could be accepted is shown by hsb0")
	d.options.ReadOnly = "the table was opened with --read-only"
	d.press("K")
	d.wantShown(t, "trust is off: the table was opened with --read-only")
}

func TestAgentOfOtherVersionIsBehind(t *testing.T) {
	d := newDriver(barta(), 140, 30)
	h := healthy(currentRev)
	h.Agent = ""
	d.send(batchMsg{target: &Target{Revision: currentRev}, statuses: []Status{
		{Host: "hsb0", Reachable: true, Health: h, Time: noon, OtherAgent: &health.AgentVersionError{Agent: "9.0"}},
	}})
	d.wantShown(t, "✓ ✓ ✓ ↓")
	d.press("enter")
	d.wantShown(t, "the agent is fleetctl 9.0, which has a different API")
}
