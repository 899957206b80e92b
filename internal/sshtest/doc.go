// Package sshtest provides SSH servers on the loopback interface for tests and demos.
//
// A [Server] runs in this process and can inject the faults of broken networks and hosts. It runs
// from [New] (or [Start], in a test) to [Server.Close], which waits for everything it started. Its
// [Handler] runs the commands that clients send: [Shell] does so as sshd would, and the other
// handlers in this package produce fixed or excessive output. A [Fault], chosen for each
// connection, determines what happens to it. [HostileHosts] are hosts that misbehave on purpose.
//
// [StartSSHD] starts a real OpenSSH server instead, for tests that depend on its behavior.
package sshtest
