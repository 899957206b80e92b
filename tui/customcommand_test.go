package tui

import (
	"os/exec"
	"testing"
)

// withCommands returns a driver of a table with commands of the operator's own.
func withCommands(commands ...Command) *driver {
	d := newDriver(barta(), 100, 40).atRest()
	d.options.Settings.Commands = commands
	d.keys = newKeymap(nil, commands)
	return d
}

func TestCustomCommandRunsOnMarkedHosts(t *testing.T) {
	d := withCommands(
		Command{Name: "journal", Keys: []string{"ctrl+j"}, About: "show the newest warnings", Run: "journalctl -n 20"},
		Command{Name: "restart", Keys: []string{"ctrl+n"}, Run: "systemctl restart\n  nginx", Confirm: true})
	d.press("space", "space", "ctrl+j")
	if len(d.owner.hosts) != 1 || len(d.owner.hosts[0]) != 2 || d.dialog != nil {
		t.Errorf("the command ran on %v", d.owner.hosts)
	}
	d.press("ctrl+n")
	d.wantShown(t, "restart on 1 host?", "systemctl restart", "[▸Don't run ]")
	d.press("y")
	if len(d.owner.hosts) != 2 {
		t.Errorf("the command ran on %v", d.owner.hosts)
	}
	d.press("?")
	d.wantShown(t, "journal         show the newest warnings", "restart         systemctl restart nginx")
}

func TestCustomCommandOnWholeFleetIsConfirmed(t *testing.T) {
	d := withCommands(Command{Name: "journal", Keys: []string{"ctrl+j"}, Run: "journalctl -n 20"})
	d.press("a", "ctrl+j")
	d.wantShown(t, "this is the whole fleet: type 9 to confirm")
	if len(d.owner.hosts) != 0 {
		t.Errorf("the command ran on %v", d.owner.hosts)
	}
}

func TestCustomCommandOnOperatorIsAboutHostUnderCursor(t *testing.T) {
	d := withCommands(Command{Name: "web", Keys: []string{"ctrl+w"}, Run: "xdg-open", OnOperator: true})
	var host, command string
	d.options.Actions.Local = func(h, c string) (*exec.Cmd, error) { host, command = h, c; return exec.Command("true"), nil }
	d.press("j")
	if _, cmd := d.ui.Update(keyPress("ctrl+w")); cmd == nil || host != "hsb1" || command != "xdg-open" {
		t.Errorf("host %q, command %q", host, command)
	}
	d.options.Actions.Local = nil
	d.press("ctrl+w")
	d.wantShown(t, "commands on this machine are not available here")
}

func TestReadOnlyTableRunsNoCustomCommand(t *testing.T) {
	d := withCommands(Command{Name: "journal", Keys: []string{"ctrl+j"}, Run: "journalctl -n 20"})
	d.options.ReadOnly = "--read-only"
	d.press("ctrl+j")
	d.wantShown(t, "journal is off: --read-only")
}
