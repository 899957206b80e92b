package sshexec

import (
	"net"
	"strconv"
	"time"
)

// Settings holds what ssh_config(5) specifies for one target, limited to what affects a login.
// Paths are absolute and tokens such as %h are expanded.
type Settings struct {
	Alias    string // the name the caller passed, which Host patterns are matched against
	Hostname string
	Port     int
	User     string

	IdentityFiles           []string // configured, or OpenSSH's default names
	CertificateFiles        []string
	IdentitiesOnly          bool   // use the ssh-agent only for keys in IdentityFiles
	IdentityAgent           string // socket of the ssh-agent; "" means none
	ForwardAgent            string // socket of the ssh-agent that sessions get; "" means none
	IdentityFilesConfigured bool   // IdentityFiles come from the configuration

	ProxyJump    string // HOST or [USER@]HOST[:PORT],... ; "" means none
	ProxyCommand string // "" means none

	StrictHostKeyChecking string // yes, ask, accept-new or no
	UserKnownHostsFiles   []string
	GlobalKnownHostsFiles []string
	HostKeyAlias          string
	HashKnownHosts        bool

	AddressFamily       string        // any, inet or inet6
	BindAddress         string        // "" means any
	ConnectTimeout      time.Duration // for each attempt
	ConnectionAttempts  int           // how often to try to open a TCP connection
	ServerAliveInterval time.Duration // 0 means not configured
	ServerAliveCountMax int           // 0 means not configured

	// AuthMethods are publickey, keyboard-interactive and password, in the order to try them.
	AuthMethods                      []string
	BatchMode                        bool // prompt for nothing
	NumberOfPasswordPrompts          int
	NoHostAuthenticationForLocalhost bool // accept any host key on a loopback address
	RequiredRSASize                  int  // bits of the shortest RSA key to accept or to offer

	// Algorithms that the configuration allows; nil means no restriction.
	HostKeyAlgorithms, Ciphers, MACs, KexAlgorithms []string
	PubkeyAcceptedAlgorithms, CASignatureAlgorithms []string

	// Origins maps the keywords of all settings, spelled as in ssh_config(5), to where their values
	// come from: FILE:LINE, or one of the constants.
	Origins map[string]string

	verifyHostKeyDNS bool
	disabledMethods  []string // authentication methods that are set to no
}

// Origins of settings that are in no file.
const (
	OriginTarget  = "target"  // the Target
	OriginSSH     = "ssh -G"  // ssh had to resolve the target, and does not print the line
	OriginDefault = "default" // OpenSSH's default, or this package's
)

// Address returns the address to dial, as HOST:PORT.
func (s Settings) Address() string { return net.JoinHostPort(s.Hostname, strconv.Itoa(s.Port)) }

// A Target identifies a host: an alias for ssh_config(5), and values that override it. Timeout
// covers dialing and the login, without the time that the operator is prompted.
type Target struct {
	Name    string        // the alias
	Address string        // overrides HostName unless ""
	User    string        // overrides User unless ""
	Port    int           // overrides Port unless 0
	Timeout time.Duration // overrides ConnectTimeout unless 0

	// Alternatives lists other addresses of the same machine, separated by spaces. Address and then
	// these are tried in order, each with a short head start. known_hosts has one key for all of
	// them, under HostKeyAlias in ssh_config(5) or, if that is not set, Name.
	Alternatives string

	isBastion bool
}
