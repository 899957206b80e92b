// Package host queries and controls single hosts without a run: status, preview, preflight,
// generations, repository tests, reboot.
//
// A [Client] has the operations. It reaches hosts through a [Dialer], whose [Conn] runs scripts of
// package remote. A [Session] is one such script and its output: a header line, then the rest.
//
// Nothing here outlives the operator's process. A deploy must, so it is a job; see package engine.
package host
