package main_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// The README's indented inventory, from [fleet] to the next paragraph of prose.
var readmeInventory = regexp.MustCompile(`(?m)^    \[fleet\]\n(?:(?:    .*)?\n)+`)

func TestTheReadmesInventoryIsSound(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := readmeInventory.FindString(string(text))
	if !strings.Contains(block, "[hosts.web]") {
		t.Fatalf("found no inventory, but %q", block)
	}
	inv, findings := inventory.Parse("README.md", []byte(block))
	if len(findings) > 0 {
		t.Fatal(inventory.Findings(findings))
	}
	if len(inv.Hosts) != 2 {
		t.Errorf("it has %d hosts", len(inv.Hosts))
	}
}

func TestEveryDirectDependencyIsExplained(t *testing.T) {
	required, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	explained, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(required)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(version, "v") || strings.Contains(version, "// indirect") {
			continue
		}
		if !strings.Contains(string(explained), "`"+path+"`") {
			t.Errorf("docs/dependencies.md does not say what %s is for", path)
		}
	}
}
