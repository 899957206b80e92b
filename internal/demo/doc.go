// Package demo runs a fleet to try fleetctl on. Its hosts are directories on this machine that are
// reached over real SSH.
//
// [Start] creates a directory that holds a complete fleet: a bare git origin, a hosts.toml, the
// operator's home with a key, known hosts and an ssh_config, and a root for each host. Each root
// has a home with a checkout that is one or two commits behind, a store, a running system, and
// stand-ins for sudo, nix, nix-env, systemctl and similar programs. The stand-ins are shell scripts
// in standins/. They behave and print like the real programs and, if asked to, take as long.
//
// The SSH server of a host runs /bin/sh with FLEETCTL_ROOT set to the host's root. fleetctl's
// scripts use it as a prefix for the paths of the system and of Nix. The demo therefore runs the
// same engine and the same scripts over the same protocol as a real deploy, and its hosts also
// serve as test hosts.
//
// A host misbehaves in two ways. Directives in the repository's hosts/NAME, which [Fleet.Push]
// commits, are part of the configuration: fail-build, slow-build N, loud-build N, fail-switch CODE,
// fail-check WORD, fail-silently, fail-user NAME, fail-job UNIT, list-old-failures,
// break-unit UNIT, kill-switch, kill-root, remove-nixos, fail-boot, block-rollback, new-file NAME,
// slow-switch N, new-kernel, specialisation NAME, payload N, deny apps|agents.
// Properties of the machine are in [Host]: a dirty checkout, a sudo that requires a password.
//
// The demo uses nothing outside of its directory and the loopback interface.
package demo
