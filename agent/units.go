package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// busPatience is short: all who ask wait for the answer.
const busPatience = 500 * time.Millisecond

// failedUnits asks systemd over its bus, since the sandbox has no systemctl to run.
func failedUnits(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, busPatience)
	defer cancel()
	names, err := askSystemd(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("systemd's bus did not answer within %v", busPatience)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		// So dbus-daemon does with a user whom it finds no groups of, as one that systemd has made for the unit alone.
		return nil, errors.New("the bus hung up; it may not know the agent's user (systemd-sysusers makes it)")
	case err != nil:
		return nil, fmt.Errorf("systemd's bus: %w", err)
	}
	return names, nil
}

func askSystemd(ctx context.Context) ([]string, error) {
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
