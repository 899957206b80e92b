// Package cli is fleetctl's command line: flags in, calls to package fleet, printers out, exit codes.
//
// A command is a file: a newX that declares the flags and the help, and a runX that a test can call. What touches the
// world (streams, terminal, clock, home, environment) is an [Env]; there are no globals. A command returns an error and
// never ends the process: exit.go maps errors to exit codes, in one place.
//
// What a run has to say reaches the operator through a printer, of which there are three: live (on a terminal), plain (one
// line an event) and JSON (one event a line). All read the same events. Standard output is for what was asked for;
// standard error for everything else.
package cli
