package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// firstFD is the first file descriptor that systemd passes to a service (sd_listen_fds(3)).
const firstFD = 3

// SystemdSocket returns the listening socket that systemd passed to this process, or nil if there
// is none. It is an error if systemd passed more than one socket or one that is not a unix socket.
func SystemdSocket(getenv func(string) string) (net.Listener, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	if n := getenv("LISTEN_FDS"); n != "1" {
		return nil, fmt.Errorf("LISTEN_FDS is %q, not \"1\": fleetctl-agent.socket must have exactly one ListenStream", n)
	}
	syscall.CloseOnExec(firstFD)
	f := os.NewFile(firstFD, "systemd socket")
	l, err := net.FileListener(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("systemd socket: %w", err)
	}
	if _, ok := l.(*net.UnixListener); !ok {
		err := fmt.Errorf("systemd socket %s: the agent supports only unix sockets", l.Addr())
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
