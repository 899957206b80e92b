package sshexec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackageDoesNotDependOnItsCaller(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"fleet", "nixfleet", "inventory", "hosts.toml"} {
			if strings.Contains(strings.ToLower(string(text)), word) {
				t.Errorf("%s mentions %q", file, word)
			}
		}
	}
}
