package main_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
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

var updateDocs = flag.Bool("update", false, "write the tables of docs/inventory.md anew")

// The tables of the page say what the schema says, so that nothing is described twice.
func TestTheInventorysPageHasEveryKey(t *testing.T) {
	const page = "docs/inventory.md"
	var schema struct {
		Properties map[string]inventoryTable
	}
	if err := json.Unmarshal(inventory.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	for name, table := range map[string]inventoryTable{
		"fleet": schema.Properties["fleet"], "defaults": schema.Properties["defaults"], "notify": schema.Properties["notify"],
		"hosts": *schema.Properties["hosts"].AdditionalProperties.table,
	} {
		part := regexp.MustCompile(`(?s)(<!-- ` + name + ` -->\n).*?(<!-- end -->)`)
		if !part.MatchString(text) {
			t.Fatalf("%s has no place for the keys of %s", page, name)
		}
		text = part.ReplaceAllString(text, "${1}"+strings.ReplaceAll(table.markdown(""), "$", "$$")+"${2}")
	}
	if *updateDocs {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(old) {
		t.Errorf("%s is not what the schema says: go test . -run Inventory -update", page)
	}
}

// inventoryTable is what the schema says of a table, or of one of its keys.
type inventoryTable struct {
	Description          string
	Default              any
	Properties           map[string]inventoryTable
	AdditionalProperties orFalse
}

type orFalse struct{ table *inventoryTable }

func (o *orFalse) UnmarshalJSON(b []byte) error {
	if string(b) == "false" {
		return nil
	}
	return json.Unmarshal(b, &o.table)
}

func (i inventoryTable) markdown(prefix string) string {
	var b strings.Builder
	if prefix == "" && len(i.Properties) > 0 {
		b.WriteString("\n| key | what it is | default |\n|---|---|---|\n")
	}
	for _, name := range slices.Sorted(maps.Keys(i.Properties)) {
		key := i.Properties[name]
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
