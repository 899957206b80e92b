package sshtest

import (
	"bytes"
	"io"
)

// Print returns a [Handler] that writes stderr, then stdout, and exits.
func Print(stdout, stderr string, status int) Handler {
	return func(s *Session) int {
		_, _ = io.WriteString(s.Stderr, stderr)
		_, _ = io.WriteString(s.Stdout, stdout)
		return status
	}
}

// FloodStderr returns a [Handler] that writes size bytes to standard error before it writes stdout.
func FloodStderr(size int, stdout string) Handler {
	return func(s *Session) int {
		_, _ = s.Stderr.Write(bytes.Repeat([]byte("e"), size))
		_, _ = io.WriteString(s.Stdout, stdout)
		return 0
	}
}

// LongLine returns a [Handler] that writes one line of size bytes.
func LongLine(size int) Handler {
	return func(s *Session) int {
		block := bytes.Repeat([]byte("x"), 32<<10)
		for remaining := size; remaining > 0; {
			n, err := s.Stdout.Write(block[:min(remaining, len(block))])
			if err != nil {
				return 1
			}
			remaining -= n
		}
		_, _ = io.WriteString(s.Stdout, "\n")
		return 0
	}
}

// RepeatLine returns a [Handler] that repeats a line until it has written about size bytes.
func RepeatLine(line string, size int) Handler {
	return func(s *Session) int {
		block := bytes.Repeat([]byte(line+"\n"), 32<<10/(len(line)+1)+1)
		for remaining := size; remaining > 0; {
			n, err := s.Stdout.Write(block[:min(remaining, len(block))])
			if err != nil {
				return 1
			}
			remaining -= n
		}
		return 0
	}
}

// HostileText is output that attacks a terminal or is malformed: escape sequences, a window title,
// clipboard access, a hyperlink, C1 and bidirectional controls, and invalid UTF-8.
const HostileText = "\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\" +
	"\rover\tx\x9b31m\u202egnp\u2066.\xff\xfe\xc3(\x00\x08\x7f\n"
