package engine_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// TestSudoPasswordIsWrittenToNoFile searches everything that a deploy leaves on the host and on the
// operator's machine.
func TestSudoPasswordIsWrittenToNoFile(t *testing.T) {
	const secret = "correct horse battery staple"
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1, SudoPassword: secret})
	f.Engine.SudoPassword = func(context.Context, string, bool) (string, error) { return secret, nil }
	if _, state := f.Deploy(t.Context(), func(fleet.Event) {}); state.Host("web").Result.Outcome != fleet.Switched {
		t.Fatalf("%+v", state.Host("web").Result)
	}
	searched := 0
	for _, dir := range []string{f.Root("web"), f.Home, f.Engine.Records.Dir} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Base(path) == "sudo-password" {
				return err
			}
			text, err := os.ReadFile(path)
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s contains the password", path)
			}
			searched++
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if searched < 20 {
		t.Errorf("only %d files were searched", searched)
	}
}
