package arch

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// readmeInventory matches the README's indented inventory, from [fleet] to the next paragraph.
var readmeInventory = regexp.MustCompile(`(?m)^    \[fleet\]\n(?:(?:    .*)?\n)+`)

func TestReadmeInventoryIsValid(t *testing.T) {
	block := readmeInventory.FindString(read(t, "README.md"))
	if !strings.Contains(block, "[hosts.web]") {
		t.Fatalf("found no inventory in README.md, but %q", block)
	}
	inv, findings := inventory.Parse("README.md", []byte(block))
	if len(findings) > 0 {
		t.Fatal(inventory.Findings(findings))
	}
	if len(inv.Hosts) != 2 {
		t.Errorf("the inventory in README.md has %d hosts, want 2", len(inv.Hosts))
	}
}

func TestEveryDirectDependencyIsExplained(t *testing.T) {
	explained := read(t, "docs/dependencies.md")
	for line := range strings.Lines(read(t, "go.mod") + read(t, "internal/site/go.mod")) {
		line = strings.TrimPrefix(line, "require ")
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(version, "v") || strings.Contains(version, "// indirect") {
			continue
		}
		if !strings.Contains(explained, "`"+path+"`") {
			t.Errorf("docs/dependencies.md does not say what %s is for", path)
		}
	}
}

var updateDocs = flag.Bool("update", false, "rewrite the tables of docs/inventory.md")

// TestInventoryPageMatchesSchema compares the tables of docs/inventory.md with the schema, so that
// each key is described in one place.
func TestInventoryPageMatchesSchema(t *testing.T) {
	const page = "docs/inventory.md"
	var schema struct {
		Properties map[string]schemaNode
	}
	if err := json.Unmarshal(inventory.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	old := read(t, page)
	text := old
	for name, table := range map[string]schemaNode{
		"fleet":    schema.Properties["fleet"],
		"defaults": schema.Properties["defaults"],
		"notify":   schema.Properties["notify"],
		"hosts":    *schema.Properties["hosts"].AdditionalProperties.node,
	} {
		part := regexp.MustCompile(`(?s)(<!-- ` + name + ` -->\n).*?(<!-- end -->)`)
		if !part.MatchString(text) {
			t.Fatalf("%s has no place for the keys of %s", page, name)
		}
		text = part.ReplaceAllString(text, "${1}"+strings.ReplaceAll(table.markdown(""), "$", "$$")+"${2}")
	}
	if *updateDocs {
		if err := os.WriteFile(filepath.Join(root, page), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != old {
		t.Errorf("%s is out of date: run go test ./internal/arch -run InventoryPage -update", page)
	}
}

// A schemaNode is a table or a key in the schema.
type schemaNode struct {
	Description          string
	Default              any
	Properties           map[string]schemaNode
	AdditionalProperties orFalse
}

// An orFalse is a schemaNode, or nil if the schema has false in its place.
type orFalse struct{ node *schemaNode }

func (o *orFalse) UnmarshalJSON(b []byte) error {
	if string(b) == "false" {
		return nil
	}
	return json.Unmarshal(b, &o.node)
}

// markdown formats the node's keys as a table. The keys of inner tables start with prefix.
func (n schemaNode) markdown(prefix string) string {
	var b strings.Builder
	if prefix == "" && len(n.Properties) > 0 {
		b.WriteString("\n| key | what it is | default |\n|---|---|---|\n")
	}
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		key := n.Properties[name]
		fallback := ""
		if key.Default != nil {
			fallback = fmt.Sprintf("`%v`", key.Default)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", prefix+name, key.Description, fallback)
		b.WriteString(key.markdown(prefix + name + "."))
	}
	if prefix == "" {
		b.WriteString("\n")
	}
	return b.String()
}

// codeSpan matches inline code in Markdown.
var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// TestContributingNamesExistingPaths checks the packages and files that CONTRIBUTING.md refers to.
func TestContributingNamesExistingPaths(t *testing.T) {
	for _, match := range codeSpan.FindAllStringSubmatch(read(t, "CONTRIBUTING.md"), -1) {
		path := match[1]
		if !strings.Contains(path, "/") || strings.ContainsAny(path, " *") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Errorf("CONTRIBUTING.md refers to %s: %v", path, err)
		}
	}
}
