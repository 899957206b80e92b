// Package remote is what runs on a host, and the reader of what it says.
//
// A host is given one POSIX sh script at a time, on the standard input of /bin/sh -s, with its values as arguments: [Job.Launch]
// starts a job and follows its log, [Follow] goes on following it, [Cancel] ends it. The scripts are the *.sh files beside this one,
// put together here and embedded; what they promise each other and the operator is in docs/architecture.md.
//
// A session's output is a header line and then the job's log, byte for byte: [Stream] takes them apart. The log is output and
// markers, and of a build Nix's internal-json: [Parser] turns it into [Item]s, whose text is clean.
//
// Nothing here opens a connection, and nothing here knows what a run is.
package remote
