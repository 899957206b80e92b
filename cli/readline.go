package cli

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
)

// readLine reads one line and nothing after it. It returns an error on ctrl-c, even if other parts
// of this process handle that signal, as the demo does. The goroutine that still reads then ends
// with the process.
func readLine(in io.Reader) (string, error) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	type read struct {
		line string
		err  error
	}
	done := make(chan read, 1)
	go func() {
		line, err := readUntilNewline(in)
		done <- read{line, err}
	}()
	select {
	case r := <-done:
		return r.line, r.err
	case <-interrupts:
		return "", errors.New("interrupted")
	}
}

func readUntilNewline(in io.Reader) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := in.Read(one)
		switch {
		case n == 1 && one[0] == '\n':
			return strings.TrimSpace(string(line)), nil
		case n == 1:
			line = append(line, one[0])
		case err != nil:
			return strings.TrimSpace(string(line)), err
		}
	}
}
