package health

import (
	"fmt"
	"time"
)

// AgentAPI is the version of the agent's HTTP API: the number in /v1.
const AgentAPI = 1

// AgentKeepAlive is how long an agent keeps an idle connection open for the next request.
const AgentKeepAlive = 10 * time.Second

// AgentVersion is the answer to GET /v1/version.
type AgentVersion struct {
	Agent string `json:"agent"` // the program's version
	API   int    `json:"api"`
}

// AgentVersionError reports that the socket is served by an agent with a different API, or by
// another program.
type AgentVersionError struct {
	Agent string // the agent's version; "" if it did not report one
}

func (e *AgentVersionError) Error() string {
	if e.Agent == "" {
		return "the socket is not served by an agent that this fleetctl supports"
	}
	return fmt.Sprintf("the agent is fleetctl %s, which has a different API version", e.Agent)
}
