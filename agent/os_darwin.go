package agent

import "golang.org/x/sys/unix"

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
