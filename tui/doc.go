// Package tui draws a run live, on a terminal.
//
// A [Live] is a block of lines at the bottom of the terminal, one a host, that is redrawn in place; what must not be lost
// (warnings, fleetctl's own words) is printed above it and stays in the terminal's scrollback. When the run has ended the
// block stays as it was last drawn.
//
// Inside is one Bubble Tea model ([model]): it owns a fleet.State, applies batches of events to it, and renders it to as
// many lines and columns as the window has. It starts nothing and reads nothing but keys: ctrl-c is handed to its owner.
package tui
