package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// splitHomes separates hosts that can be rebooted from users' homes, which cannot. It returns the
// names of the homes.
func splitHomes(hosts []*inventory.Host) (machines []*inventory.Host, homes []string) {
	for _, h := range hosts {
		if h.Kind == inventory.Home {
			homes = append(homes, h.Name)
		} else {
			machines = append(machines, h)
		}
	}
	return machines, homes
}

func (a *hostActions) rebootUnavailable(hosts []*inventory.Host) string {
	machines, homes := splitHomes(hosts)
	switch {
	case a.options.Actions.Reboot == nil:
		return "rebooting is not available here"
	case len(machines) == 0 && len(homes) > 0:
		return strings.Join(homes, ", ") + ": home hosts cannot be rebooted"
	}
	return a.busyWith(machines)
}

// reboot asks before hosts are rebooted. The number of hosts must be typed, even if it is 1.
func (a *hostActions) reboot(hosts []*inventory.Host) effect {
	machines, homes := splitHomes(hosts)
	plan, err := fleet.NewPlan(a.options.Inventory, machines, fleet.Options{}, "")
	if err != nil {
		return refusal(firstLine(err))
	}
	d := newHostDialog("reboot "+plural(len(machines), "host")+"?", machines)
	if len(homes) > 0 {
		d.lines = append(d.lines, "not "+strings.Join(homes, ", ")+": home hosts cannot be rebooted")
	}
	if len(plan.Waves) > 1 {
		d.addWaves(plan)
		d.lines = append(d.lines, "a wave starts when the hosts of the previous one are back")
	}
	why := "this reboots the hosts"
	if len(machines) == 1 {
		why = "this reboots the host"
	}
	d.expectCount(why)
	d.confirm, d.decline = "Reboot", "Don't reboot"
	d.accept = func(string) tea.Cmd {
		return startOn(d.hosts, func() error { return a.options.Actions.Reboot(d.hosts) })
	}
	return effect{dialog: d}
}
