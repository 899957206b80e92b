package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// firstFD is where systemd puts the sockets that it hands over (sd_listen_fds(3)).
const firstFD = 3

// Activated is the socket that systemd has listened on for this process; nil where there is none.
func Activated(getenv func(string) string) (net.Listener, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	if n := getenv("LISTEN_FDS"); n != "1" {
		return nil, fmt.Errorf("systemd handed over %q sockets, not one: the unit fleetctl-agent.socket may have one ListenStream", n)
	}
	syscall.CloseOnExec(firstFD)
	f := os.NewFile(firstFD, "systemd's socket")
	l, err := net.FileListener(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("systemd's socket: %w", err)
	}
	if _, unix := l.(*net.UnixListener); !unix {
		return nil, errors.Join(fmt.Errorf("systemd's socket is at %s: the agent answers on a unix socket alone", l.Addr()), l.Close())
	}
	return l, nil
}
