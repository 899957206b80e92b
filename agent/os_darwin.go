package agent

import "golang.org/x/sys/unix"

// unreadBytes is the request of ioctl(2) for how many bytes a socket has to read: FIONREAD in
// sys/filio.h.
const unreadBytes = 0x4004667f

func (h Host) os() string {
	version, err := unix.Sysctl("kern.osproductversion")
	if err != nil {
		return "macOS"
	}
	return "macOS " + version
}

func (h Host) bootID() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}
