package agent

import (
	"context"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

// failedUnits asks systemd over its bus, since the sandbox has no systemctl to run.
func failedUnits(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer bus.Close()
	var units []struct {
		Name, Description, Load, Active, Sub, Following string
		Path                                            dbus.ObjectPath
		Job                                             uint32
		JobType                                         string
		JobPath                                         dbus.ObjectPath
	}
	systemd := bus.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	call := systemd.CallWithContext(ctx, "org.freedesktop.systemd1.Manager.ListUnitsFiltered", dbus.FlagNoAutoStart, []string{"failed"})
	if err := call.Store(&units); err != nil {
		return nil, err
	}
	var names []string
	for _, u := range units {
		names = append(names, u.Name)
	}
	slices.Sort(names)
	return names, nil
}
