// Package tui draws on a terminal: a run, or a whole fleet, live.
//
// A [Live] is a block of lines at the bottom of the terminal, one a host, that is redrawn in place; what must not be lost
// (warnings, fleetctl's own words) is printed above it and stays in the terminal's scrollback. A [Table] takes the whole screen: every
// host of an inventory, in a run or not, with its log, and keys to have things done. Both draw a host at work with the same brush.
//
// Each is one Bubble Tea model (model, ui) that owns its fleet.State and is fed in batches; the structs that hang off the ui (list, pane,
// dialog, prompt, commands) are plain. Nothing in here does I/O: what a person asks for is handed to the owner as [Actions], away from
// the screen, and what comes of it is heard as events.
//
// Three things keep a frame cheap, whatever the size of the fleet and the length of its logs: only rows that show are drawn, a row is
// drawn anew only when its key has changed, and a log is a ring of which only the lines that show are looked at.
package tui
