package sshexec

import (
	"net"
	"strconv"
	"time"
)

// Settings is what ssh_config(5) says of one target: the part that a login is made of. Paths are absolute, tokens such
// as %h are replaced.
type Settings struct {
	Alias    string // as the caller gave it: what Host patterns are matched with
	Hostname string
	Port     int
	User     string

	IdentityFiles    []string // those of the configuration, or else OpenSSH's usual names
	CertificateFiles []string
	IdentitiesOnly   bool   // offer nothing from the agent but the identity files
	IdentityAgent    string // a socket; "" is no agent
	IdentityFilesConfigured bool   // IdentityFiles are the configuration's

	ProxyJump    string // HOST or [USER@]HOST[:PORT],... ; "" is none
	ProxyCommand string // "" is none

	StrictHostKeyChecking string // yes, ask, accept-new or no
	UserKnownHostsFiles   []string
	GlobalKnownHostsFiles []string
	HostKeyAlias          string
	HashKnownHosts        bool

	AddressFamily       string        // any, inet or inet6
	BindAddress         string        // "" is any
	ConnectTimeout      time.Duration // 0: not said
	ServerAliveInterval time.Duration // 0: not said
	ServerAliveCountMax int

	// What the configuration limits algorithms to; nil: it says nothing.
	HostKeyAlgorithms, Ciphers, MACs, KexAlgorithms []string
}

// Address is where the target is dialled, as HOST:PORT.
func (s Settings) Address() string { return net.JoinHostPort(s.Hostname, strconv.Itoa(s.Port)) }

// Target is a host to reach: an ssh alias, and what the caller knows better than ssh_config(5) does.
type Target struct {
	Name    string        // the alias
	Address string        // instead of HostName; "" leaves it
	User    string        // instead of User; "" leaves it
	Port    int           // instead of Port; 0 leaves it
	Timeout time.Duration // instead of ConnectTimeout: from dialling to a login, not counting the time a person is asked; 0 leaves it

	isBastion bool // it is on the way to another
}
