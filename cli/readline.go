package cli

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
)

// readLine reads a person's line, and nothing of what comes after it. Ctrl-c is an end of it, even where somebody else of this
// process listens to it, as the demo's fleet does; what waits for input then ends with the process.
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
		line, err := takeLine(in)
		done <- read{line, err}
	}()
	select {
	case r := <-done:
		return r.line, r.err
	case <-interrupts:
		return "", errors.New("interrupted")
	}
}

func takeLine(in io.Reader) (string, error) {
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
