package fleet

import (
	"fmt"
	"io"
	"strings"
)

// WriteMetrics writes how a run ended in the Prometheus text format, for the textfile collector of node_exporter.
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
		{"fleetctl_run_end_timestamp_seconds", "When the last run ended.", float64(r.Began.Unix()) + r.Seconds},
		{"fleetctl_run_duration_seconds", "How long it took.", r.Seconds},
		{"fleetctl_run_exit_code", "0 all as wanted, 1 a host failed, 3 none failed but some were out of reach, 130 interrupted.", float64(r.ExitCode)},
	} {
		metric(m.name, m.help)
		fmt.Fprintf(&b, "%s%s %.15g\n", m.name, run, m.value)
	}
	metric("fleetctl_run_hosts", "Hosts of the run by their outcome.")
	for _, o := range Outcomes {
		fmt.Fprintf(&b, "fleetctl_run_hosts%s %d\n", labels("fleet", r.Fleet, "goal", r.Goal, "outcome", string(o)), r.Counts[o])
	}
	metric("fleetctl_host_ok", "Whether the host is as wanted; the labels say how its part of the run ended.")
	for _, h := range r.Hosts {
		ok := 0
		if h.Outcome.Good() {
			ok = 1
		}
		fmt.Fprintf(&b, "fleetctl_host_ok%s %d\n", labels("fleet", r.Fleet, "host", h.Name, "outcome", string(h.Outcome)), ok)
	}
	metric("fleetctl_host_duration_seconds", "How long the host's part of the run took.")
	for _, h := range r.Hosts {
		fmt.Fprintf(&b, "fleetctl_host_duration_seconds%s %.15g\n", labels("fleet", r.Fleet, "host", h.Name), h.Seconds)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// labels writes names and their values.
func labels(pairs ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `,%s="%s"`, pairs[i], escape.Replace(pairs[i+1]))
	}
	return "{" + b.String()[1:] + "}"
}
