// Package remote has the scripts that run on hosts and the readers of their output.
//
// A session gives a host one POSIX sh script on the standard input of /bin/sh -s, with its
// arguments encoded at the head. [Job.Launch] starts a job and prints its log, [Attach] prints the
// log of a job that was started before, [Signal] and [Cancel] reach a job beside the session that
// follows it. The other scripts work without a job: [Probe], [PreviewRequest.Script], [Generations]
// and so on.
//
// A script is composed of files that are embedded: the *.sh file of that name, the files of lib/
// that it names in its header ("uses"), and a function that sets the inputs that all of them
// declare ("inputs") and rejects others. What the scripts promise each other is in
// docs/architecture.md.
//
// The output of a session is a header line and then, byte for byte, the log of the job. [Stream]
// separates the two. A log consists of output, markers and, during a build, Nix's internal-json.
// [Parser] turns it into [Item] values, whose text is safe for a terminal. Scripts report codes and
// figures; this package makes the sentences.
//
// The package opens no connections and knows nothing about runs.
package remote
