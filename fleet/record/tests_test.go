package record

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestLastTestsOfEachHostAreKept(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: filepath.Join(t.TempDir(), "runs")}
	if got, err := s.LastTests("home"); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	failed := health.TestRun{Time: now, Passed: 2, Failed: []string{"20-web.sh"}}
	for _, save := range []struct {
		fleet, host string
		result      health.TestRun
	}{
		{"../home [*]", "a", health.TestRun{Time: now, Passed: 1}},
		{"../home [*]", "a", failed},
		{"other", "a", health.TestRun{Time: now}},
	} {
		if err := s.SaveTests(save.fleet, save.host, save.result); err != nil {
			t.Fatal(err)
		}
	}
	damaged := s.testsPath("../home [*]", "b")
	if err := os.WriteFile(damaged, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := s.LastTests("../home [*]")
	if want := map[string]health.TestRun{"a": failed}; !reflect.DeepEqual(got, want) || err == nil {
		t.Errorf("got %+v, %v, want %+v and an error about b", got, err, want)
	}
	history, err := s.HostHistory("other")
	if err != nil || len(history.Tests) != 1 {
		t.Errorf("history: %+v, %v", history.Tests, err)
	}
}
