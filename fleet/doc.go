// Package fleet carries a run out over many hosts, and remembers it.
//
// A [Plan] says what is to be done: which hosts, in which waves, to which commit. An [Engine] does it, one goroutine a host: connect, start the
// job there, follow its log. All that happens becomes an [Event], and events are the only thing that leaves the engine: [State.Apply]
// turns them into what a view shows, a [Record] keeps them on disk, and whoever reads that record has seen what the operator saw.
//
// Three ideas carry the rest:
//
//   - The job on the host outlives the connection to it. Losing a connection is therefore never an outcome: the engine reconnects, and
//     goes on at the byte where it was. Where that is in vain the host is [Unknown], and [Engine.Attach] settles it later.
//   - The host's log, kept byte for byte in the record, is the truth. Every step, fact and outcome is read from it, so that reading it again
//     leads to the same.
//   - One process owns a run, by a lock on its record. Another one that attaches watches, and takes over if the owner goes away.
//
// Hosts are reached through [Dialer], an interface. What is run on them is package remote's. Nothing here prints.
package fleet
