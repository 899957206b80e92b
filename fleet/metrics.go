package fleet

import (
	"fmt"
	"io"
	"strings"
)

// WriteMetrics writes the report in the Prometheus text format, for the textfile collector of
// node_exporter.
func (r Report) WriteMetrics(w io.Writer) error {
	var b strings.Builder
	metric := func(name, help string) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	}
	run := labels("fleet", r.Fleet, "goal", r.Goal)
	for _, m := range []struct {
		name, help string
		value      float64
	}{
		{"fleetctl_run_end_timestamp_seconds", "Time at which the last run finished, in seconds since 1970.", float64(r.Began.Unix()) + r.Seconds},
		{"fleetctl_run_duration_seconds", "Duration of the last run.", r.Seconds},
		{"fleetctl_run_exit_code", "Exit code of the last run: 0 success, 1 a host failed, 3 no host failed but some were unreachable, 130 interrupted.", float64(r.ExitCode)},
	} {
		metric(m.name, m.help)
		fmt.Fprintf(&b, "%s%s %.15g\n", m.name, run, m.value)
	}
	metric("fleetctl_run_hosts", "Number of hosts in the last run, by outcome.")
	for _, o := range Outcomes {
		fmt.Fprintf(&b, "fleetctl_run_hosts%s %d\n", labels("fleet", r.Fleet, "goal", r.Goal, "outcome", string(o)), r.Counts[o])
	}
	metric("fleetctl_host_ok", "Whether the host ended the last run as intended; the label has its outcome.")
	for _, h := range r.Hosts {
		ok := 0
		if h.Outcome.Good() {
			ok = 1
		}
		fmt.Fprintf(&b, "fleetctl_host_ok%s %d\n", labels("fleet", r.Fleet, "host", h.Name, "outcome", string(h.Outcome)), ok)
	}
	metric("fleetctl_host_duration_seconds", "Duration of the host's part of the last run.")
	for _, h := range r.Hosts {
		fmt.Fprintf(&b, "fleetctl_host_duration_seconds%s %.15g\n", labels("fleet", r.Fleet, "host", h.Name), h.Seconds)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// labels formats pairs of a label and its value.
func labels(pairs ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `,%s="%s"`, pairs[i], escape.Replace(pairs[i+1]))
	}
	return "{" + b.String()[1:] + "}"
}
