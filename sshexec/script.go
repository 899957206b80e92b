package sshexec

import "strings"

// EncodeArgs encodes arguments as space-separated words of [A-Za-z0-9./-] and _ooo, an octal byte;
// a single _ is the empty argument. A shell splits such words at the spaces and otherwise leaves
// them unchanged. [Prologue] decodes them. An argument cannot contain NUL, so EncodeArgs truncates
// it there.
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

// Prologue is an sh script that replaces the [EncodeArgs] words in "$@" with the arguments they
// encode.
//
// It splits a word at the underscores, so that every piece but the first starts with three octal
// digits. printf applies its format to all pieces at once, and %b converts them to bytes. The
// trailing slash protects final newlines, which a command substitution would strip. It is a slash
// because, unlike a letter, it cannot be part of a multibyte character in any locale.
const Prologue = `sshexec_arg() {
	set -f
	IFS=_
	set -- $1
	printf %s "$1"
	shift
	printf %b "$(printf '\\0%s' "$@")"
}
sshexec_left=$#
while [ "$sshexec_left" -gt 0 ]; do
	sshexec_word=$1
	shift
	case $sshexec_word in
	_) sshexec_word= ;;
	*_*) sshexec_word=$(sshexec_arg "$sshexec_word"; printf /) sshexec_word=${sshexec_word%/} ;;
	esac
	set -- "$@" "$sshexec_word"
	sshexec_left=$((sshexec_left - 1))
done
unset sshexec_word sshexec_left
unset -f sshexec_arg
`

// commandLine is the command line that every host receives. Arguments are not part of it: the login
// shell receives it as an argument of its own, and every user of a host can read the arguments of
// all processes.
const commandLine = "exec /bin/sh -s"

// StandardInput returns the text for the standard input of "/bin/sh -s" that runs a script.
//
// The text is one group in braces, so a shell reads all of it before it runs any of it: nothing
// runs if the connection is lost halfway, no command in the script can consume the rest of the
// script as its input, and nothing that follows is treated as code. The shell runs ready, a command
// or "", between reading and running the script. The script's own standard input must not be sent
// before that, because a shell reads ahead.
func StandardInput(script string, args []string, ready string) string {
	var b strings.Builder
	b.WriteString("{\n")
	if len(args) > 0 {
		b.WriteString("set -- " + EncodeArgs(args) + "\n" + Prologue)
	}
	if ready != "" {
		b.WriteString(ready + "\n")
	}
	b.WriteString(script)
	b.WriteString("\nexit\n}\n")
	return b.String()
}
