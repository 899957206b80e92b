// Package fleet defines the nouns that the other packages share: what a run is asked to do, what
// happens during it, and how it ends.
//
// An operator's [Options] and a selection of hosts make a [Plan]: hosts in waves. Everything that
// happens during a run becomes an [Event]. [State.Apply] is the only function that turns events
// into state, so a view that has seen all events of a run, live or from its record, shows the same
// as any other. An [Outcome] says how one host's part of a run ended, a [Result] says why.
//
// The package does no I/O. Package engine carries a plan out, package record keeps its events on
// disk, and package host queries hosts outside of runs.
package fleet
