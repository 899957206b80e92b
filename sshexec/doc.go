// Package sshexec connects to hosts the way OpenSSH would and runs POSIX sh scripts on them.
//
// A [Pool] owns what connections share: the parsed ssh_config(5), known host keys, connections to
// ssh-agents and bastions, decrypted keys, and the limit on concurrent handshakes. [Pool.Dial]
// turns a host alias into a [Conn], which is one login on one host. [Conn.Run] runs a script on it.
// Both take a context and return when it is done, even if the network is dead.
//
// Three ideas explain the rest:
//
//   - Configuration is OpenSSH's. The package evaluates ssh_config(5) itself. If a file has a line
//     that it does not understand, it runs `ssh -G` instead of guessing. Settings that it cannot
//     follow, and that would make a login stricter, are errors. See [Settings].
//   - Every host receives the same command line, `exec /bin/sh -s -- ARGS`, in an alphabet that no
//     login shell interprets. Everything else goes to standard input. See [EncodeArgs] and
//     [Prologue].
//   - Every failure is an [Error] that names the host, the phase, the [Kind] of failure and, if
//     there is one, the fix.
//
// # Errors
//
// These are the kinds of failure, whether the host may only be away ([Error.Offline]), and whether
// [Pool.Dial] automatically tries again before it returns the error:
//
//	kind              offline  retried
//	config            no       no
//	local             no       no
//	dns               yes      no
//	refused           yes      ConnectionAttempts
//	no-route          yes      ConnectionAttempts
//	timeout           yes      ConnectionAttempts
//	busy              yes      until the timeout, with growing delays and fewer handshakes at once
//	jump              as the bastion's error, which it wraps
//	protocol          no       no
//	host-key-unknown  no       no
//	host-key-changed  no       no
//	host-key-revoked  no       no
//	no-key            no       no
//	auth              no       no
//	lost              yes      twice, if the server sent nothing, or not before a prompt was answered
//	session           no       no
//	stopped           no       no
//
// Before it returns an auth error, [Pool.Dial] prompts up to NumberOfPasswordPrompts times: for the
// passphrase of a key that the host accepts, once for all hosts, or for the password of a host that
// accepts no keys, once for each host. [Options.Prompter] does that.
//
// At most [Options.MaxHandshakes] logins run at once, and at most MaxHandshakesPerAddress to one
// server. That limit is halved for a server, or for a bastion, that refuses connections, and grows
// again while it accepts them.
//
// The package never accepts an unknown host key unless ssh_config(5) or the caller says so,
// never accepts a changed one, and never retries a failed login. It never prints and does not know
// what the scripts are for.
package sshexec
