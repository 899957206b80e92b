package tui

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestOutputIsGroupedByWhatHostsPrinted(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	d.send(batchMsg{outputs: []Output{{Command: "uname -r", Hosts: []HostOutput{
		{Host: "hsb0", Lines: []string{"6.12.9"}}, {Host: "hsb1", Lines: []string{"6.18.2"}}, {Host: "hsb8", Lines: []string{"6.18.2"}},
		{Host: "csb1", Problem: "exit status 127", Lines: []string{"sh: uname: not found"}}, {Host: "gpc0"},
	}}}})
	shown := ansi.Strip(d.screen())
	d.wantShown(t, "─[ output ]", "$ uname -r", "5 hosts, 4 different outputs", "hsb1, hsb8 (2 hosts)\n  6.18.2\n", "  ✗ exit status 127", "  no output")
	if strings.Index(shown, "hsb1, hsb8 (2") > strings.Index(shown, "hsb0 (1 host)") {
		t.Errorf("the largest group is not the first:\n%s", shown)
	}
	d.press("j")
	if d.logs.onReport {
		t.Error("the output is still shown")
	}
}

func TestCommandsAreRecalled(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	for _, command := range []string{"id", "w", "id"} {
		d.press("!")
		for _, r := range command {
			d.press(string(r))
		}
		d.press("enter")
	}
	if !slices.Equal(d.actions.commands, []string{"w", "id"}) {
		t.Errorf("the history is %q", d.actions.commands)
	}
	d.press("!", "up")
	d.wantShown(t, "> id", "earlier ones")
	d.press("up", "up")
	d.wantShown(t, "> w")
	d.press("down", "down", "down")
	if text := d.dialog.input.text(); text != "" {
		t.Errorf("the text is %q", text)
	}
}
