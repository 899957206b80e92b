package cli

import (
	"testing"

	"github.com/charmbracelet/colorprofile"
)

func TestProfileHasColorOnlyOnTerminalsWithoutNoColor(t *testing.T) {
	for _, test := range []struct {
		tty     bool
		noColor string
		want    colorprofile.Profile
	}{
		{false, "", colorprofile.NoTTY},
		{true, "", colorprofile.ANSI256},
		{true, "1", colorprofile.ASCII},
		{true, "yes please", colorprofile.ASCII}, // any nonempty value
		{false, "1", colorprofile.NoTTY},
	} {
		env := newTestEnv(t)
		getenv := env.Getenv
		env.Getenv = func(name string) string {
			if name == "NO_COLOR" {
				return test.noColor
			}
			return getenv(name)
		}
		if got := env.profile(test.tty); got != test.want {
			t.Errorf("terminal %v, NO_COLOR=%q: %v, want %v", test.tty, test.noColor, got, test.want)
		}
	}
}
