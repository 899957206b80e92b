// Package sshtest is an SSH server to test and to play against: it runs in the process, on loopback, and does on demand
// what real servers do when a network or a host is ill.
//
// A [Server] listens from [New] (or [Start], in a test) to [Server.Close], which waits for everything it began. What a
// session does is a [Handler]; [Shell] is the one that runs commands as sshd does, the others in this package say
// something at great length or not at all. What happens to a connection is a [Fault], chosen a connection.
//
// [Sshd] starts a real OpenSSH server instead, for tests of what only the real one does.
package sshtest
