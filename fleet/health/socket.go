package health

import (
	"cmp"
	"fmt"
)

// Socket is where a machine's agent answers, unless it was told otherwise.
const Socket = "/run/fleetctl-agent/agent.sock"

// Sockets is where an agent may answer on a machine that a user is on, best first: the agent of the user's home with systemd and
// with launchd, then that of the machine, which macOS has under /var/run. On a host, probe.sh looks in the same places.
func Sockets(getenv func(string) string, home string, uid int) []string {
	runtime := cmp.Or(getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", uid))
	state := cmp.Or(getenv("XDG_STATE_HOME"), home+"/.local/state")
	return []string{
		runtime + "/fleetctl-agent/agent.sock",
		state + "/fleetctl/agent.sock",
		Socket,
		"/var" + Socket,
	}
}
