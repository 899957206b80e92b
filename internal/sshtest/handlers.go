package sshtest

import (
	"bytes"
	"io"
)

// Say is a [Handler] that writes to both streams, one after the other, and exits.
func Print(stdout, stderr string, status int) Handler {
	return func(s *Session) int {
		_, _ = io.WriteString(s.Stderr, stderr)
		_, _ = io.WriteString(s.Stdout, stdout)
		return status
	}
}

// Flood is a [Handler] that writes size bytes to standard error before a word on standard output.
func FloodStderr(size int, then string) Handler {
	return func(s *Session) int {
		_, _ = s.Stderr.Write(bytes.Repeat([]byte("e"), size))
		_, _ = io.WriteString(s.Stdout, then)
		return 0
	}
}

// LongLine is a [Handler] that writes one line of so many bytes.
func LongLine(size int) Handler {
	return func(s *Session) int {
		block := bytes.Repeat([]byte("x"), 32<<10)
		for left := size; left > 0; {
			n, err := s.Stdout.Write(block[:min(left, len(block))])
			if err != nil {
				return 1
			}
			left -= n
		}
		_, _ = io.WriteString(s.Stdout, "\n")
		return 0
	}
}

// Lines is a [Handler] that repeats a line for so many bytes.
func RepeatLine(line string, size int) Handler {
	return func(s *Session) int {
		block := bytes.Repeat([]byte(line+"\n"), 32<<10/(len(line)+1)+1)
		for left := size; left > 0; {
			n, err := s.Stdout.Write(block[:min(left, len(block))])
			if err != nil {
				return 1
			}
			left -= n
		}
		return 0
	}
}

// Hostile is what a host says that wants to do something to a terminal, or that is merely broken: escape sequences, a
// title, a clipboard, a hyperlink, C1 and bidi controls, and bytes that are no UTF-8.
const HostileText = "\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\" +
	"\rover\tx\x9b31m\u202egnp\u2066.\xff\xfe\xc3(\x00\x08\x7f\n"
