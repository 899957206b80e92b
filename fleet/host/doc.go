// Package host queries and controls single hosts without a run: status, preview, preflight,
// generations, repository tests, reboot.
//
// A host is reached through a [Dialer], whose [Conn] runs scripts of package remote. A [Session] is
// one such script and its answer: a header line, then output.
//
// Nothing here survives the operator's process. Work that must, a deploy, is a job of package
// engine.
package host
