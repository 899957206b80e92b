package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/tui"
)

// exitError carries an exit code to [Main], whose caller ends the process.
type exitError struct {
	code int
	err  error // nil: everything has been printed
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit returns the error that ends a command with a code, one of fleet.Exit*. err is nil if
// everything has been printed.
func exit(code int, err error) error {
	if code == fleet.ExitOK && err == nil {
		return nil
	}
	return &exitError{code: code, err: err}
}

// usage returns an error of the command line.
func usage(suggestion, format string, args ...any) error {
	return exitUsage(hint.Wrap(fmt.Errorf(format, args...), suggestion))
}

// exitUsage returns err as an error of the command line.
func exitUsage(err error) error { return exit(fleet.ExitUsage, err) }

// hostExitCode returns the exit code that an error of one host leads to.
func hostExitCode(h *inventory.Host, err error) int {
	switch {
	case err == nil, offline(err) && h.SkipOffline:
		return fleet.ExitOK
	case offline(err):
		return fleet.ExitUnreachable
	}
	return fleet.ExitFailed
}

// worseCode returns the exit code that matters more: a failed host more than one that could not be
// reached.
func worseCode(a, b int) int {
	if b == fleet.ExitFailed || a == fleet.ExitOK {
		return b
	}
	return a
}

// exitCode returns the code with which err ends the process. An error before a command has started
// is one of the command line.
func exitCode(err error, started bool) int {
	var e *exitError
	switch {
	case err == nil:
		return fleet.ExitOK
	case errors.As(err, &e):
		return e.code
	case started:
		return fleet.ExitFailed
	}
	return fleet.ExitUsage
}

// printError prints an error and its hint. Findings begin with their file, line and column, so that
// editors recognize them.
func printError(w io.Writer, ink tui.Palette, err error) {
	var silent *exitError
	if errors.As(err, &silent) && silent.err == nil {
		return
	}
	var findings inventory.Findings
	if errors.As(err, &findings) {
		for _, f := range findings {
			fmt.Fprintln(w, f)
		}
		return
	}
	for line := range strings.Lines(strings.TrimRight(err.Error(), "\n") + "\n") {
		if !strings.HasPrefix(line, " ") { // one of several errors, and not more lines of one
			line = ink.Bad.Paint("fleetctl:") + " " + line
		}
		io.WriteString(w, line)
	}
	printHint(w, ink, hint.Of(err))
}

// printHint prints a hint on a line of its own. It prints nothing if there is none.
func printHint(w io.Writer, ink tui.Palette, text string) {
	if text != "" {
		fmt.Fprintf(w, "  %s %s\n", ink.Strong.Paint("hint:"), text)
	}
}
