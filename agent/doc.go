// Package agent answers how a host fares: HTTP and JSON on a unix socket, read-only, for whoever the socket's file mode lets in.
//
// [Serve] is the whole of the server. It is given a listener, either systemd's ([Activated]) or its own ([Listen]), looks at the
// host only when it is asked, and leaves when nobody has asked for a while, so that a host that is not looked at runs nothing.
// [Client] is the other side. It is given connections, not addresses: the operator's come through SSH.
//
// What is served is described in docs/agent-api.md. The agent runs in a sandbox (nix/fleetctl-agent.service) that has no network,
// no file to write, and no program to start; so everything here is read from files, from the kernel, and from systemd's bus.
package agent
