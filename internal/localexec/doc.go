// Package localexec runs scripts on this machine as package sshexec does on other machines: with
// /bin/sh, without a terminal, in the user's home directory.
package localexec
