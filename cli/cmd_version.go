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

// release is the version of this tree: the current or the next one. The Nix package reads it from
// here.
const release = "0.2.0"

// releaseDate is the date of that version.
const releaseDate = "2026-11-28"

// version returns the tag or the commit that Go recorded at build time. A build without the
// repository, like Nix's, has neither and returns release.
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
