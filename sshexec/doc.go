// Package sshexec reaches hosts the way OpenSSH would, and runs POSIX sh scripts on them.
//
// A [Pool] owns what a fleet shares: the reading of ssh_config(5), the known host keys, the connections to agents and
// bastions, decrypted keys, and the limit on how many logins are under way at once. [Pool.Dial] turns an alias into a
// [Conn], one login on one host; [Conn.Run] gives it a script. Both take a context and return when it ends, whatever
// the network does.
//
// Three ideas explain the rest:
//
//   - Configuration is OpenSSH's. The plain part of ssh_config(5) is read here; a file that says anything beyond it is
//     left to `ssh -G`, so nothing is ever half understood. See [Settings].
//   - A host is given one command line, `exec /bin/sh -s -- ARGS`, in an alphabet that no login shell touches, and all
//     else on standard input. See [EncodeArgs] and [Prologue].
//   - Every failure is an [Error] that says which host, in which phase, of what [Kind], and what would mend it.
//
// A host key that is not known is never accepted silently, a changed one never at all, and a failed login is never
// repeated. Nothing here knows what a deploy is, and nothing here prints.
package sshexec
