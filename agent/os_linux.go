package agent

import "strings"

// os is the distribution, "NixOS 26.05".
func (h Host) os() string {
	words := map[string]string{}
	for line := range strings.Lines(readSome(h.Root + "/etc/os-release")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		words[key] = strings.Trim(value, `"'`)
	}
	return strings.TrimSpace(words["NAME"] + " " + words["VERSION_ID"])
}

func (h Host) bootID() string {
	return strings.TrimSpace(readSome("/proc/sys/kernel/random/boot_id"))
}
