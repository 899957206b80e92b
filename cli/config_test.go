package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/tui"
)

func TestConfigSetsEveryKey(t *testing.T) {
	c, findings := parseConfig("config.toml", []byte(`
theme = "vivid"
refresh = "1m"
columns = ["state", "cells", "time"]
mouse = true
reduced_motion = true

[keys]
deploy = "D"
down = ["j", "ctrl+n"]

[notifications]
bell = false
command = "notify-send fleetctl"
on = "failure"

[commands.journal]
key = "ctrl+j"
about = "show the newest warnings"
run = "journalctl -b -p warning -n 20"
confirm = false

[commands.web]
run = "xdg-open https://$FLEETCTL_HOST.example.com"
on = "operator"
`))
	if findings != nil {
		t.Fatal(findings)
	}
	if c.Theme != tui.Vivid || c.Refresh != time.Minute || !slices.Equal(c.Columns, []string{"state", "cells", "time"}) || !c.Mouse || !c.Calm || c.Bell {
		t.Errorf("%+v", c)
	}
	if want := (inventory.Notify{Command: "notify-send fleetctl", OnFailure: true, Timeout: 10 * time.Second}); c.Notify != want {
		t.Errorf("notify %+v, want %+v", c.Notify, want)
	}
	if !slices.Equal(c.Keys["deploy"], []string{"D"}) || !slices.Equal(c.Keys["down"], []string{"j", "ctrl+n"}) {
		t.Errorf("keys %v", c.Keys)
	}
	want := []tui.Command{
		{Name: "journal", Keys: []string{"ctrl+j"}, About: "show the newest warnings", Run: "journalctl -b -p warning -n 20"},
		{Name: "web", Run: "xdg-open https://$FLEETCTL_HOST.example.com", OnOperator: true, Confirm: true},
	}
	if !reflect.DeepEqual(c.Commands, want) {
		t.Errorf("commands %+v", c.Commands)
	}
}

func TestConfigOfAnotherUserIsRefused(t *testing.T) {
	home := t.TempDir()
	env := &Env{Home: home, Getenv: func(string) string { return "" }}
	path := filepath.Join(home, ".config", "fleetctl", "config.toml")
	writeFile(t, path, "mouse = true\n")
	if c, err := env.config(); err != nil || !c.Mouse {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := env.config(); err == nil || !strings.Contains(err.Error(), "can be written by other users (mode 0666)") ||
		!strings.Contains(hint.Of(err), "chmod go-w") {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
}

func TestConfigFindingsHavePositionAndHint(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"[commands.deploy]\nrun = \"true\"", "config.toml:2:1: the table has an action \"deploy\" of its own\n  hint: choose another name"},
		{"[commands.X]\nrun = \"true\"", "config.toml:2:1: invalid name \"X\" for a command\n  hint: use lower-case letters, digits and dashes"},
		{"[commands.x]\nkey = \"ctrl+j\"", "config.toml:1:1: command \"x\" has no run\n  hint: for example: run = \"uptime\""},
		{"[commands.x]\nrun = \"true\"\nkey = \"d\"", "config.toml:1:1: deploy and x both have d\n  hint: assign another key to one of them"},
		{"[commands.x]\nrun = \"true\"\nkeys = \"d\"", "config.toml:3:1: unknown key \"commands.x.keys\"\n  hint: did you mean \"key\"?"},
		{"[commands.x]\nrun = \"true\"\non = \"hots\"", "config.toml:3:1: invalid value \"hots\" for commands.x.on\n  hint: did you mean \"host\"?"},
		{`theme = "vivd"`, "config.toml:1:1: invalid value \"vivd\" for theme\n  hint: did you mean \"vivid\"?"},
		{"\nrefresh = \"30\"", "config.toml:2:1: refresh must be between 1s and 1h, not \"30\"\n  hint: for example \"30s\" or \"5m\""},
		{"refresh = 30", "config.toml:1:1: refresh must be a string\n  hint: put it in quotes"},
		{`colums = ["state"]`, "config.toml:1:1: unknown key \"colums\"\n  hint: did you mean \"columns\"?"},
		{`columns = ["stat"]`, "config.toml:1:1: invalid value \"stat\" for columns\n  hint: did you mean \"state\"?"},
		{"[keys]\n  deplyo = \"D\"", "config.toml:2:3: unknown action \"deplyo\"\n  hint: did you mean \"deploy\"?"},
		{"mouse = 1", "config.toml:1:1: mouse must be true or false"},
		{"[keys]\ndeploy = \"j\"", "config.toml:1:1: deploy and down both have j\n  hint: assign another key to one of them"},
		{"[notifications]\non = \"fail\"", "config.toml:2:1: invalid value \"fail\" for notifications.on"},
		{"theme = ", "config.toml:1:8: "},
	} {
		_, findings := parseConfig("config.toml", []byte(test.text))
		if len(findings) == 0 || !strings.HasPrefix(findings[0].String(), test.want) {
			t.Errorf("%q: %v, want %s", test.text, findings, test.want)
		}
	}
}

func TestConfigIsReadFromUserDirectory(t *testing.T) {
	env := newTestEnv(t)
	if c, err := env.config(); err != nil || c.Theme != tui.Terminal || c.Refresh != 30*time.Second {
		t.Errorf("without a file: %+v, %v", c, err)
	}
	writeFile(t, filepath.Join(env.Home, ".config", "fleetctl", "config.toml"), `theme = "contrast"`)
	if c, err := env.config(); err != nil || c.Theme != tui.Contrast {
		t.Errorf("with a file: %+v, %v", c, err)
	}
}

func TestConfigOfUserTakesPrecedenceOverSystem(t *testing.T) {
	dirs, home := t.TempDir(), t.TempDir()
	env := &Env{Home: home, Getenv: func(name string) string {
		return map[string]string{"XDG_CONFIG_DIRS": "relative:" + filepath.Join(dirs, "none") + ":" + dirs}[name]
	}}
	for _, file := range []struct{ path, theme string }{
		{filepath.Join(dirs, "fleetctl/config.toml"), "contrast"},
		{filepath.Join(home, ".config/fleetctl/config.toml"), "vivid"},
	} {
		writeFile(t, file.path, `theme = "`+file.theme+`"`)
		if c, err := env.config(); err != nil || string(c.Theme) != file.theme {
			t.Errorf("%+v, %v; want %s", c, err, file.theme)
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, s := range []string{"", `theme = "vivid"`, "[keys]\na = [1, \"x\"]", "columns = [[]]", "x = {a = 1}", "[[a]]\nb = 1", "\xff", "theme"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, findings := parseConfig("config.toml", []byte(text))
		for _, found := range findings {
			if found.Line < 1 || found.Column < 1 || found.Line > strings.Count(text, "\n")+1 {
				t.Errorf("%q: %v", text, found)
			}
		}
	})
}

func TestFiltersKeepTheirOrder(t *testing.T) {
	t.Parallel()
	c, findings := parseConfig("config.toml", []byte("[filters]\nservers = \"@server\"\nclouds = \"csb*\"\nbad = 3\n"))
	if len(c.Filters) != 3 || c.Filters[0] != (tui.Filter{Name: "servers", Text: "@server"}) || c.Filters[1].Name != "clouds" {
		t.Errorf("the filters are %v", c.Filters)
	}
	if len(findings) != 1 || findings[0].Message != "filters.bad must be a string" {
		t.Errorf("findings %v", findings)
	}
}

func TestTableIsNewOnlyOnce(t *testing.T) {
	t.Parallel()
	env := newTestEnv(t)
	if !env.firstTime() || env.firstTime() {
		t.Error("the table was not new, or was new twice")
	}
}
