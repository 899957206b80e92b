// Package demo is a fleet to try fleetctl on: hosts that are directories of one machine, reached over real SSH.
//
// [Start] makes a directory with everything a fleet has: a bare git origin, a hosts.toml, an operator's home with key,
// known hosts and ssh_config, and a root for each host. Each root has a home with a checkout that is a commit or two
// behind, a store, a running system, and stand-ins for sudo, nix, nix-env, systemctl and the like. The stand-ins are sh files in
// standins/: they behave, speak and, if asked, take time as the real ones do.
//
// A host's SSH server gives what it is sent to /bin/sh with FLEETCTL_ROOT set to that root, which fleetctl's
// scripts put before the paths of the system and of Nix. So the demo runs the same engine and the same scripts
// over the same protocol as a real deploy, and its tests stand in for hosts that a test cannot have.
//
// What makes a host misbehave is of two kinds. Words in the repository's hosts/NAME, which [Fleet.Push] commits, belong to the
// configuration: fail-build, slow-build N, loud-build N, fail-switch CODE, slow-switch N, new-kernel. What belongs to the machine is in
// [Host]: a dirty checkout, a sudo that wants a password.
//
// Nothing here leaves the directory and the loopback interface.
package demo
