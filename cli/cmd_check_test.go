package cli

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestAnnotationEscapesWorkflowCommands(t *testing.T) {
	got := annotation(inventory.Finding{File: "a,b:c%.toml", Line: 3, Column: 7, Message: "100%\n::error::x", Hint: "a, b: c"})
	want := "::error file=a%2Cb%3Ac%25.toml,line=3,col=7::100%25%0A::error::x%0Ahint: a, b: c"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCheckFlakeReportsMissingNix(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	file := filepath.Join(t.TempDir(), "hosts.toml")
	writeFile(t, file, "[hosts.a]\nkind = \"nixos\"\nrepo = \"/x\"\n")
	var out bytes.Buffer
	err := runCheck(context.Background(), &Env{Out: &out}, checkOptions{file: file, flake: ".", format: "text"})
	var hinted interface{ Hint() string }
	if exitCode(err, true) != 2 || !strings.Contains(err.Error(), "nix not found in PATH") || !errors.As(err, &hinted) || out.Len() > 0 {
		t.Errorf("got %v and printed %q", err, out.String())
	}
}

func TestNixErrorMessageExtractsLastError(t *testing.T) {
	for stderr, want := range map[string]string{
		"": "",
		"warning: x\nerror:\n       … while calling\n\n       error: attribute 'x'\n       missing\n": "attribute 'x' missing",
		"\x1b[31;1merror:\x1b[0m boom": "boom",
		"killed":                       "killed",
	} {
		if got := nixErrorMessage(stderr); got != want {
			t.Errorf("%q: got %q, want %q", stderr, got, want)
		}
	}
}
