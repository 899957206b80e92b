package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// machines are the targets that can be rebooted: a user's home cannot.
func (u *ui) machines() (machines []*inventory.Host, homes []string) {
	for _, h := range u.targets() {
		if h.Kind == inventory.Home {
			homes = append(homes, h.Name)
		} else {
			machines = append(machines, h)
		}
	}
	return machines, homes
}

func (u *ui) canReboot() string {
	machines, homes := u.machines()
	switch {
	case u.o.Actions.Reboot == nil:
		return "rebooting is not possible here"
	case len(machines) == 0 && len(homes) > 0:
		return strings.Join(homes, ", ") + ": a user's home is no machine to reboot"
	}
	return u.idle(machines)
}

// askReboot asks before machines go down. The count has to be typed, whatever it is.
func (u *ui) askReboot() tea.Cmd {
	machines, homes := u.machines()
	plan, err := fleet.NewPlan(u.o.Inventory, machines, fleet.Options{}, "")
	if err != nil {
		u.refuse(firstLine(err))
		return nil
	}
	d := u.about("reboot "+plural(len(machines), "host")+"?", machines)
	if len(homes) > 0 {
		d.lines = append(d.lines, "not "+strings.Join(homes, ", ")+": homes, no machines")
	}
	if len(plan.Waves) > 1 {
		d.lines = append(d.lines, "")
		d.wavesOf(plan)
		d.lines = append(d.lines, "a wave begins when the hosts of the one before are back")
	}
	why := "they all go down"
	if len(machines) == 1 {
		why = "it goes down"
	}
	d.wantCount(why)
	d.yes = "Reboot"
	d.do = func(u *ui, _ string) tea.Cmd {
		return away(func() error { return u.o.Actions.Reboot(d.hosts) }, "")
	}
	u.dialog = d
	return nil
}
