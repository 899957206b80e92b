package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print fleetctl's version",
		Long: `Print fleetctl's version, the commit it was built from, and the platform it was built for.

EXIT STATUS

0  always`,
		Example: "  fleetctl version",
		Args:    arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(env.Out, "fleetctl %s %s/%s %s\n", version(), runtime.GOOS, runtime.GOARCH, runtime.Version())
			return err
		},
	}
}

// release is the version that comes next, or is: the only place that has it. The package for Nix reads it from here.
const release = "0.1.0"

// releasedOn is the day of that version.
const releasedOn = "2026-11-24"

// version is what Go recorded at the build, where it had the repository: the tag, or else the commit. A build from the sources
// alone, as Nix makes one, is the release.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return release
}
