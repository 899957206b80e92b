package arch

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// timeLimit matches a row of docs/limits.md whose limit is the default of a key of timeouts.
var timeLimit = regexp.MustCompile("^\\| [^|]+ \\| ([0-9]+) (s|min|h)[^|]* \\| `([a-z_]+)` \\|")

// TestTimeLimitsAreTheDefaults compares the limits in docs/limits.md that have a key with the
// defaults in the schema.
func TestTimeLimitsAreTheDefaults(t *testing.T) {
	var schema struct {
		Properties struct {
			Defaults struct {
				Properties struct {
					Timeouts struct {
						Properties map[string]struct{ Default string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(inventory.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(read(t, "docs/limits.md")) {
		match := timeLimit.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		rows++
		documented, err := time.ParseDuration(match[1] + map[string]string{"s": "s", "min": "m", "h": "h"}[match[2]])
		if err != nil {
			t.Fatal(err)
		}
		key, ok := schema.Properties.Defaults.Properties.Timeouts.Properties[match[3]]
		actual, err := time.ParseDuration(key.Default)
		if !ok || err != nil || actual != documented {
			t.Errorf("docs/limits.md says that %s is %v, but its default is %q (%v)", match[3], documented, key.Default, err)
		}
	}
	if rows < 6 {
		t.Errorf("docs/limits.md has only %d limits with a key: the test does not find them anymore", rows)
	}
}
