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

// busTimeout is short, since all requests wait for the sample.
const busTimeout = 500 * time.Millisecond

// failedUnits returns the names of failed units, sorted. It uses systemd's bus, since the sandbox
// has no systemctl to run.
func failedUnits(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	names, err := listFailedUnits(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("systemd's bus did not answer within %v", busTimeout)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		// dbus-daemon does this to a user whose groups it cannot look up, such as a dynamic user.
		return nil, errors.New("the bus hung up; it may not know the agent's user (systemd-sysusers creates it)")
	case err != nil:
		return nil, fmt.Errorf("systemd's bus: %w", err)
	}
	return names, nil
}

func listFailedUnits(ctx context.Context) ([]string, error) {
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer bus.Close()
	systemd := bus.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
	const method = "org.freedesktop.systemd1.Manager.ListUnitsFiltered"
	call := systemd.CallWithContext(ctx, method, dbus.FlagNoAutoStart, []string{"failed"})
	if call.Err != nil {
		return nil, call.Err
	}
	return unitNames(call.Body)
}

// unitNames returns the names of the units in systemd's answer, sorted.
func unitNames(answer []any) ([]string, error) {
	var units []struct {
		Name, Description, Load, Active, Sub, Following string
		Path                                            dbus.ObjectPath
		Job                                             uint32
		JobType                                         string
		JobPath                                         dbus.ObjectPath
	}
	if err := dbus.Store(answer, &units); err != nil {
		return nil, err
	}
	var names []string
	for _, u := range units {
		names = append(names, u.Name)
	}
	slices.Sort(names)
	return names, nil
}
