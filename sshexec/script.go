package sshexec

import "strings"

// EncodeArgs writes arguments as words of [A-Za-z0-9./-] and _ooo, an octal byte; "_" alone is the empty argument. No
// shell that a login could have (sh, bash, zsh, fish, csh, nushell) does anything to such words but split them at the
// spaces. [Prologue] turns them back. A NUL cannot be part of an argument; everything before it is.
func EncodeArgs(args []string) string {
	const octal = "01234567"
	var b strings.Builder
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		arg, _, _ = strings.Cut(arg, "\x00")
		if arg == "" {
			b.WriteByte('_')
		}
		for j := range len(arg) {
			c := arg[j]
			if isPlainByte(c) {
				b.WriteByte(c)
				continue
			}
			b.Write([]byte{'_', octal[c>>6], octal[c>>3&7], octal[c&7]})
		}
	}
	return b.String()
}

func isPlainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '/' || c == '-'
}

// Prologue is sh that turns the words of [EncodeArgs] in "$@" back into the arguments they stand for.
//
// The word is split at the underscores, so that every piece but the first begins with three octal digits. printf puts
// its format around all of them at once, and %b makes the bytes. The slash keeps newlines at the end, which a command
// substitution would drop; in no locale is it part of a longer character, as an x could be after an argument's last byte.
const Prologue = `fleetctl_arg() {
	set -f
	IFS=_
	set -- $1
	printf %s "$1"
	shift
	printf %b "$(printf '\\0%s' "$@")"
}
fleetctl_left=$#
while [ "$fleetctl_left" -gt 0 ]; do
	fleetctl_word=$1
	shift
	case $fleetctl_word in
	_) fleetctl_word= ;;
	*_*) fleetctl_word=$(fleetctl_arg "$fleetctl_word"; printf /) fleetctl_word=${fleetctl_word%/} ;;
	esac
	set -- "$@" "$fleetctl_word"
	fleetctl_left=$((fleetctl_left - 1))
done
unset fleetctl_word fleetctl_left
unset -f fleetctl_arg
`

// longestLine is how much of a command line is used. Linux gives a process at most 128 KiB in one argument, and the
// login shell gets the whole line in one; longer arguments go ahead of the script instead, in the same encoding.
const maxArgsInCommandLine = 64 << 10

// wrap makes the command line and the text for standard input out of a script.
//
// The text is one group in braces, so a shell runs none of it before it has read all of it: a connection lost half-way
// runs nothing, no command in the script can eat the rest of the script as its input, and nothing that follows is taken
// for code. goAhead, a random word, is printed on standard error between the reading and the running; "" prints nothing.
// A shell reads ahead, so what the script is to find on its own standard input must not be sent before that.
func buildCommand(script string, args []string, goAhead string) (line, text string) {
	line = "exec /bin/sh -s"
	var b strings.Builder
	b.WriteString("{\n")
	if words := EncodeArgs(args); len(words) > maxArgsInCommandLine {
		b.WriteString("set -- " + words + "\n")
	} else if len(args) > 0 {
		line += " -- " + words
	}
	b.WriteString(Prologue)
	if goAhead != "" {
		b.WriteString("printf %s " + goAhead + " >&2\n")
	}
	b.WriteString(script)
	b.WriteString("\nexit\n}\n")
	return line, b.String()
}
