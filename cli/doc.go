// Package cli is the command line of fleetctl: it parses flags, calls the packages of fleet, prints
// results and returns exit codes.
//
// Each command has a file cmd_NAME.go with a function that declares its flags and help, and one
// that runs it, which tests call. Other files hold what commands share. Commands take streams, the
// terminal, the clock, the home directory and the environment from an [Env]; there are no globals.
// A command returns an error and never ends the process: exit.go maps errors to exit codes and
// prints them with their hints.
//
// A run is shown by a printer: live on a terminal, plain with one line per event, or JSON with one
// object per event. All printers read the same events. Results go to standard output, and
// everything else goes to standard error.
package cli
