package health

import (
	"cmp"
	"fmt"
)

// Socket is the default socket of a machine's agent.
const Socket = "/run/fleetctl-agent/agent.sock"

// Sockets returns the paths at which an agent may listen for a user, best first: the agent of the
// user's home with systemd, with launchd, then the machine's agent, which macOS has under /var/run.
// On a host, probe.sh tries the same paths.
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
