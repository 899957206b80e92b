package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

func TestConfigSetsWhatItSays(t *testing.T) {
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
}

func TestConfigNamesEveryMistakeWithItsPlace(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`theme = "vivd"`, "config.toml:1:1: theme cannot be \"vivd\"\n  hint: did you mean \"vivid\"?"},
		{"\nrefresh = \"30\"", "config.toml:2:1: refresh must be from 1s to 1h, not \"30\"\n  hint: as in \"30s\" or \"5m\""},
		{"refresh = 30", "config.toml:1:1: refresh must be text\n  hint: put it in quotes"},
		{`colums = ["state"]`, "config.toml:1:1: unknown key \"colums\"\n  hint: did you mean \"columns\"?"},
		{`columns = ["stat"]`, "config.toml:1:1: columns cannot be \"stat\"\n  hint: did you mean \"state\"?"},
		{"[keys]\n  deplyo = \"D\"", "config.toml:2:3: there is no action \"deplyo\" to set keys for\n  hint: did you mean \"deploy\"?"},
		{"mouse = 1", "config.toml:1:1: mouse must be true or false"},
		{"[keys]\ndeploy = \"j\"", "config.toml:1:1: deploy and down both have j\n  hint: give one of them another"},
		{"[notifications]\non = \"fail\"", "config.toml:2:1: notifications.on cannot be \"fail\""},
		{"theme = ", "config.toml:1:8: "},
	} {
		_, findings := parseConfig("config.toml", []byte(test.text))
		if len(findings) == 0 || !strings.HasPrefix(findings[0].String(), test.want) {
			t.Errorf("%q: %v, want %s", test.text, findings, test.want)
		}
	}
}

func TestConfigIsReadFromThePersonsOwnDirectory(t *testing.T) {
	w := newWorld(t)
	if c, err := w.config(); err != nil || c.Theme != tui.Terminal || c.Refresh != 30*time.Second {
		t.Errorf("without a file: %+v, %v", c, err)
	}
	dir := filepath.Join(w.Home, ".config", "fleetctl")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(`theme = "contrast"`), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err := w.config(); err != nil || c.Theme != tui.Contrast {
		t.Errorf("with a file: %+v, %v", c, err)
	}
}

func TestConfigOfTheMachineIsForThoseWithoutOneOfTheirOwn(t *testing.T) {
	dirs, home := t.TempDir(), t.TempDir()
	env := &Env{Home: home, Getenv: func(name string) string {
		return map[string]string{"XDG_CONFIG_DIRS": "relative:" + filepath.Join(dirs, "none") + ":" + dirs}[name]
	}}
	for _, file := range []struct{ path, theme string }{
		{filepath.Join(dirs, "fleetctl/config.toml"), "contrast"},
		{filepath.Join(home, ".config/fleetctl/config.toml"), "vivid"},
	} {
		if err := os.MkdirAll(filepath.Dir(file.path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file.path, []byte(`theme = "`+file.theme+`"`), 0o644); err != nil {
			t.Fatal(err)
		}
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
