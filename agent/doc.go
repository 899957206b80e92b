// Package agent is the health agent's server: HTTP and JSON on a unix socket. It is read-only, and
// the socket's file mode decides who may connect.
//
// [Serve] is the server. It takes a listener, either the socket that systemd passes to the process
// ([SystemdSocket]) or one of its own ([Listen]). It reads the host's state only when a request
// asks for it and exits after an idle time, so that an unused agent costs nothing.
//
// The API's types and its client are in package health; docs/agent-api.md describes the API.
//
// The agent's sandbox (nix/fleetctl-agent.service) has no network, no writable files, and no
// programs to start. Everything served here therefore comes from files, the kernel, and systemd's
// bus.
package agent
