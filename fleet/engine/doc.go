// Package engine carries out runs.
//
// An [Engine] takes a plan and works on many hosts at once, one goroutine per host: connect, start
// the job on the host, follow its log. Everything that happens becomes an event on one channel,
// which a single goroutine numbers, applies to the run's state, records and passes on.
//
// Three ideas carry the rest:
//
//   - The job on a host outlives the connection to it. Losing the connection is therefore never an
//     outcome: the engine reconnects and continues at the byte where it stopped. If it cannot, the
//     host's outcome is unknown until [Engine.Attach] settles it.
//   - The host's log, kept byte for byte in the record, is the source of truth. Every step, fact
//     and outcome is parsed from it, so reading it again gives the same result.
//   - One process owns a run, by a lock on its record. Another process that attaches watches, and
//     takes over when the owner exits.
//
// Hosts are reached through [host.Dialer]. What runs on them is in package remote. The package
// prints nothing.
package engine
