package cli

import (
	"fmt"
	"io"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/tui"
)

// changesShown is how many packages of a host a summary names.
const changesShown = 20

// printChanges prints what has changed on the hosts of a run: a line for each host and, if there is
// only one, its packages and units.
func printChanges(w io.Writer, palette tui.Palette, colors map[string]string, s *fleet.State) {
	var hosts []*fleet.HostState
	width := 0
	for _, h := range s.Hosts {
		if h.Result != nil && h.Result.Changes != nil {
			hosts = append(hosts, h)
			width = max(width, len(h.Name))
		}
	}
	if len(hosts) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", palette.Strong.Paint("what changed"))
	for _, h := range hosts {
		changes := h.Result.Changes
		fmt.Fprintf(w, "  %s%*s  %s\n", palette.Host(colors[h.Name]).Paint(h.Name), width-len(h.Name), "", changes.Summary())
		if len(hosts) > 1 {
			continue
		}
		for _, line := range changes.Lines(changesShown, false) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
}
