package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestAnnotationsCannotBeForged(t *testing.T) {
	got := annotation(inventory.Finding{File: "a,b:c%.toml", Line: 3, Column: 7, Message: "100%\n::error::x", Hint: "a, b: c"})
	want := "::error file=a%2Cb%3Ac%25.toml,line=3,col=7::100%25%0A::error::x%0Ahint: a, b: c"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCheckWithAFlakeSaysThatNixIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	file := filepath.Join(t.TempDir(), "hosts.toml")
	if err := os.WriteFile(file, []byte("[hosts.a]\nkind = \"nixos\"\nrepo = \"/x\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := runCheck(context.Background(), &Env{Out: &out}, checkOptions{file: file, flake: ".", format: "text"})
	var hinted interface{ Hint() string }
	if exitCode(err, true) != 2 || !strings.Contains(err.Error(), "none in PATH") || !errors.As(err, &hinted) || out.Len() > 0 {
		t.Errorf("got %v and printed %q", err, out.String())
	}
}

func TestNixErrorIsTheErrorAlone(t *testing.T) {
	for said, want := range map[string]string{
		"": "",
		"warning: x\nerror:\n       … while calling\n\n       error: attribute 'x'\n       missing\n": "attribute 'x' missing",
		"\x1b[31;1merror:\x1b[0m boom": "boom",
		"killed":                       "killed",
	} {
		if got := nixError(said); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
}
