package health

// Socket is where an agent answers on a host, unless it was told otherwise. On macOS, nix-darwin makes /run a link to /var/run.
const Socket = "/run/fleetctl-agent/agent.sock"
