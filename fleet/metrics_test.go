package fleet

import (
	"strings"
	"testing"
	"time"
)

func TestWriteMetrics(t *testing.T) {
	report := Report{
		Fleet: "zu \"Hause\"", Goal: GoalSwitch, Began: time.Unix(1795000000, 0),
		Summary: Summary{Counts: map[Outcome]int{Switched: 1, Failed: 1}, ExitCode: 1, Seconds: 12.5},
		Hosts:   []HostReport{{"web", Result{Outcome: Switched, Seconds: 12}}, {"db", Result{Outcome: Failed, Seconds: 3}}},
	}
	var b strings.Builder
	if err := report.WriteMetrics(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE fleetctl_run_exit_code gauge\nfleetctl_run_exit_code{fleet=\"zu \\\"Hause\\\"\",goal=\"switch\"} 1\n",
		"fleetctl_run_end_timestamp_seconds{fleet=\"zu \\\"Hause\\\"\",goal=\"switch\"} 1795000012.5\n",
		"outcome=\"switched\"} 1\n", "outcome=\"rolled-back\"} 0\n",
		"fleetctl_host_ok{fleet=\"zu \\\"Hause\\\"\",host=\"web\",outcome=\"switched\"} 1\n", "host=\"db\",outcome=\"failed\"} 0\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("missing %q in\n%s", want, b.String())
		}
	}
}
