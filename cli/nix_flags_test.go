package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
)

func TestNixFlagsBecomeArguments(t *testing.T) {
	for _, tt := range []struct{ flags, want, problem, advice string }{
		{flags: "", want: ""},
		{flags: "--nix-option connect-timeout=5 --nix-option builders=", want: "--option connect-timeout 5 --option builders "},
		{flags: "--override-input dep/nixpkgs=path:/x?a=b --impure", want: "--override-input dep/nixpkgs path:/x?a=b --impure"},
		{flags: "--fallback --fallback --accept-flake-config --impure=false", want: "--option fallback true --option accept-flake-config true"},
		{flags: "--nix-option fallback", problem: `invalid argument "fallback" for "--nix-option": must be NAME=VALUE, as in connect-timeout=5`},
		{flags: "--nix-option max_jobs=2", problem: `for "--nix-option": "max_jobs" is not the name of a setting of nix`, advice: `write "max-jobs"`},
		{flags: "--override-input dep", problem: `for "--override-input": must be INPUT=URL`},
		{flags: "--override-input dep=--impure", problem: `"--impure" is not the URL of a flake`, advice: "for example"},
		{flags: "--impure=maybe", problem: `invalid argument "maybe" for "--impure": must be true or false`},
	} {
		var args inventory.NixArgs
		cmd := &cobra.Command{Use: "x", RunE: func(*cobra.Command, []string) error { return nil }, SilenceErrors: true, SilenceUsage: true}
		cmd.SetFlagErrorFunc(flagError)
		nixFlags(cmd, &args)
		cmd.SetArgs(strings.Fields(tt.flags))
		err := cmd.Execute()
		switch {
		case tt.problem == "" && (err != nil || strings.Join(args.CommandLine(), " ") != tt.want):
			t.Errorf("%q: got %q, %v, want %q", tt.flags, args.CommandLine(), err, tt.want)
		case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem) || !strings.Contains(hint.Of(err), tt.advice)):
			t.Errorf("%q: got %v, hint %q, want %q", tt.flags, err, hint.Of(err), tt.problem)
		}
	}
}

func TestNixFlagsRequireFlake(t *testing.T) {
	for _, command := range []string{"check", "init"} {
		err := mainCommandError(t, command, "--nix-option", "cores=1")
		if exitCodeOf(err) != 2 || err.Error() != "--nix-option requires --flake: nothing else is evaluated" {
			t.Errorf("%s: %v", command, err)
		}
	}
}

// mainCommandError runs fleetctl and returns its error.
func mainCommandError(t *testing.T, args ...string) error {
	t.Helper()
	env := &Env{Out: t.Output(), Err: t.Output(), Home: t.TempDir(), Dir: t.TempDir(), Getenv: func(string) string { return "" }}
	root := newRoot(env)
	root.SetArgs(args)
	return root.ExecuteContext(t.Context())
}
