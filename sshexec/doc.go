// Package sshexec connects to hosts the way OpenSSH would and runs POSIX sh scripts on them.
//
// A [Pool] owns what connections share: the parsed ssh_config(5), known host keys, connections to
// ssh-agents and bastions, decrypted keys, and the limit on concurrent handshakes. [Pool.Dial]
// turns a host alias into a [Conn], which is one login on one host. [Conn.Run] runs a script on it.
// Both take a context and return when it is done, even if the network is dead.
//
// Three ideas explain the rest:
//
//   - Configuration is OpenSSH's. The package parses a plain subset of ssh_config(5). If a file
//     uses anything outside that subset, the package runs `ssh -G` instead of guessing. See
//     [Settings].
//   - Every host receives the same command line, `exec /bin/sh -s -- ARGS`, in an alphabet that no
//     login shell interprets. Everything else goes to standard input. See [EncodeArgs] and
//     [Prologue].
//   - Every failure is an [Error] that names the host, the phase, the [Kind] of failure and, if
//     there is one, the fix.
//
// The package never accepts an unknown host key unless StrictHostKeyChecking or the caller says so,
// never accepts a changed one, and never retries a failed login. It never prints and does not know
// what the scripts are for.
package sshexec
