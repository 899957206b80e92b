// Package tui shows a run, or a whole fleet, live on a terminal.
//
// A [Live] is a block of lines at the bottom of the terminal, one per host, that is redrawn in
// place. Warnings and fleetctl's own messages are printed above it and stay in the terminal's
// scrollback. A [Table] takes the whole screen: every host of an inventory, whether a run is
// changing it or not, with its log and keys for actions. Both draw a host's line with the same
// painter.
//
// Each is one Bubble Tea model (liveModel and ui) that is fed in batches. The ui owns what the
// table knows (hosts, runs) and routes messages and keys to its children: list, logs, hostPage,
// dialog, commandPalette, prompt. A child has methods of its own, never sees the ui, and returns an
// effect for the ui to apply.
//
// Nothing in this package does I/O of its own: what the operator asks for is handed to the owner as
// [Actions], in the background, and its results come back as events. The package has no rules about
// hosts either: whether one is current, behind or degraded is decided by fleet/health.
//
// Three things keep a frame cheap, no matter how large the fleet or how long its logs are: only
// visible rows are drawn, a row is redrawn only if something that it depends on has changed, and a
// log is a ring buffer of which only the visible lines are touched.
package tui
