package agent

import (
	"strings"

	"golang.org/x/sys/unix"
)

// unreadBytes is the request of ioctl(2) for how many bytes a socket has to read.
const unreadBytes = unix.TIOCINQ

// os returns the distribution's name and version, for example "NixOS 26.05".
func (h Host) os() string {
	values := map[string]string{}
	for line := range strings.Lines(readHead(h.Root + "/etc/os-release")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	return strings.TrimSpace(values["NAME"] + " " + values["VERSION_ID"])
}

func (h Host) bootID() string {
	return strings.TrimSpace(readHead("/proc/sys/kernel/random/boot_id"))
}
