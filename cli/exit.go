package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

// exitError carries an exit code up to [Main], the only place that ends the process.
type exitError struct {
	code int
	err  error // nil: there is nothing to say that was not said
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit ends the command with a code; err may be nil where everything has been said. The codes are fleet.Exit*.
func exit(code int, err error) error {
	if code == fleet.ExitOK && err == nil {
		return nil
	}
	return &exitError{code: code, err: err}
}

// usage is a command line that cannot be carried out as it stands.
func usage(hint, format string, args ...any) error {
	return exit(fleet.ExitUsage, &hintedError{err: fmt.Errorf(format, args...), hint: hint})
}

// hintedError is an error with the mend.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }
func (e *hintedError) Hint() string  { return e.hint }

// codeOfHost is what an error about one host means for the exit code.
func codeOfHost(h *inventory.Host, err error) int {
	switch {
	case err == nil, offline(err) && h.SkipOffline:
		return fleet.ExitOK
	case offline(err):
		return fleet.ExitUnreachable
	}
	return fleet.ExitFailed
}

// worse is what two hosts come to: that one failed says more than that the other is away.
func worse(code, another int) int {
	if another == fleet.ExitFailed || code == fleet.ExitOK {
		return another
	}
	return code
}

// exitCode tells the code that err ends the process with. begun tells whether a command had begun: what goes wrong before
// is the command line's fault.
func exitCode(err error, begun bool) int {
	var e *exitError
	switch {
	case err == nil:
		return fleet.ExitOK
	case errors.As(err, &e):
		return e.code
	case begun:
		return fleet.ExitFailed
	}
	return fleet.ExitUsage
}

// printError says what went wrong in a line, and what to do about it in a line that begins with "hint:". Findings stand
// alone, so that an editor finds file, line and column where it looks for them.
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
		if !strings.HasPrefix(line, " ") { // several errors, and not what goes on about one
			line = ink.Bad.Paint("fleetctl:") + " " + line
		}
		io.WriteString(w, line)
	}
	printHint(w, ink, err)
}

func printHint(w io.Writer, ink tui.Palette, err error) {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		fmt.Fprintf(w, "  %s %s\n", ink.Strong.Paint("hint:"), hinted.Hint())
	}
}
