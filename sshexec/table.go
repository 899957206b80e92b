package sshexec

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// treatment says what this package does with a keyword of ssh_config(5).
type treatment string

const (
	followed treatment = "followed"
	viaSSH   treatment = "`ssh -G`" // ssh itself works out what the value means
	refused  treatment = "refused"  // an error, if the value is one that refuses reports
	harmless treatment = "harmless" // accepted without effect
)

// keyword is one row of the table of keywords.
type keyword struct {
	name      string // as ssh_config(5) spells it
	treatment treatment
	note      string // for docs/ssh.md: how it is followed, or why it is not

	// valid reports whether this package understands the arguments. If it does not, ssh has to
	// judge them: they may be invalid, and then ssh rejects the whole configuration.
	valid func(args []string) bool
	// refuses reports whether a value of a refused keyword is an error.
	refuses func(value string) bool
}

// keywordAliases maps other spellings that OpenSSH accepts to the keyword that they stand for
// (keywords in readconf.c).
var keywordAliases = map[string]string{
	"challengeresponseauthentication": "kbdinteractiveauthentication",
	"skeyauthentication":              "kbdinteractiveauthentication",
	"tisauthentication":               "kbdinteractiveauthentication",
	"dsaauthentication":               "pubkeyauthentication",
	"identityfile2":                   "identityfile",
	"smartcarddevice":                 "pkcs11provider",
	"keepalive":                       "tcpkeepalive",
	"hostbasedkeytypes":               "hostbasedacceptedalgorithms",
	"pubkeyacceptedkeytypes":          "pubkeyacceptedalgorithms",
	"rsaminsize":                      "requiredrsasize", // Red Hat's name
}

// keywords lists every keyword of OpenSSH 10, in alphabetical order, followed by obsolete ones and
// by those that vendors add.
var keywords = []keyword{
	{name: "AddKeysToAgent", treatment: harmless, valid: isAny,
		note: "Keys are decrypted once for each command and are not added to the ssh-agent."},
	{name: "AddressFamily", treatment: followed, valid: isOneOf("any", "inet", "inet6")},
	{name: "BatchMode", treatment: followed, valid: isFlag, note: "With `yes`, there is no prompt for a passphrase or a password."},
	{name: "BindAddress", treatment: followed, valid: isOne, note: "An address or a name."},
	{name: "BindInterface", treatment: refused, valid: isOne, refuses: isNotNone,
		note: "Binding a socket to an interface is not implemented; use BindAddress."},
	{name: "CanonicalDomains", treatment: followed, valid: areDomains},
	{name: "CanonicalizeFallbackLocal", treatment: followed, valid: isFlag},
	{name: "CanonicalizeHostname", treatment: followed, valid: isOneOf("yes", "no", "true", "false", "always"),
		note: "Names are looked up for each connection, by the resolver that also serves the connection. " +
			"Names that end with a dot or are in /etc/hosts are left to `ssh -G`."},
	{name: "CanonicalizeMaxDots", treatment: followed, valid: isNumberOrZero},
	{name: "CanonicalizePermittedCNAMEs", treatment: viaSSH, valid: isAny, note: "Unless it is `none`, ssh resolves each host for each connection."},
	{name: "CASignatureAlgorithms", treatment: viaSSH, valid: isOne},
	{name: "CertificateFile", treatment: followed, valid: isOne},
	{name: "ChannelTimeout", treatment: harmless, valid: isAny, note: "Sessions end with their commands."},
	{name: "CheckHostIP", treatment: harmless, valid: isFlag,
		note: "The host key is checked under the host's name, as it is by default since OpenSSH 8.5."},
	{name: "Ciphers", treatment: viaSSH, valid: isOne},
	{name: "ClearAllForwardings", treatment: harmless, valid: isFlag, note: noForwarding},
	{name: "Compression", treatment: harmless, valid: isFlag, note: "Connections are not compressed."},
	{name: "ConnectionAttempts", treatment: followed, valid: isNumber,
		note: "ConnectTimeout applies to each attempt. There is one second between attempts."},
	{name: "ConnectTimeout", treatment: followed, valid: isTime,
		note: "`none` and `0` mean 15 seconds."},
	{name: "ControlMaster", treatment: harmless, valid: isOneOf("yes", "no", "true", "false", "ask", "auto", "autoask"), note: noControlMaster},
	{name: "ControlPath", treatment: harmless, valid: isOne, note: noControlMaster},
	{name: "ControlPersist", treatment: harmless, valid: isOne, note: noControlMaster},
	{name: "DynamicForward", treatment: harmless, valid: isAny, note: noForwarding},
	{name: "EnableEscapeCommandline", treatment: harmless, valid: isFlag, note: noTerminal},
	{name: "EnableSSHKeysign", treatment: harmless, valid: isFlag, note: noHostbased},
	{name: "EscapeChar", treatment: harmless, valid: isOne, note: noTerminal},
	{name: "ExitOnForwardFailure", treatment: harmless, valid: isFlag, note: noForwarding},
	{name: "FingerprintHash", treatment: harmless, valid: isOne, note: "Fingerprints are SHA256."},
	{name: "ForkAfterAuthentication", treatment: harmless, valid: isFlag, note: noTerminal},
	{name: "ForwardAgent", treatment: harmless, valid: isOne, note: noForwarding},
	{name: "ForwardX11", treatment: harmless, valid: isFlag, note: noForwarding},
	{name: "ForwardX11Timeout", treatment: harmless, valid: isTime, note: noForwarding},
	{name: "ForwardX11Trusted", treatment: harmless, valid: isFlag, note: noForwarding},
	{name: "GatewayPorts", treatment: harmless, valid: isFlag, note: noForwarding},
	{name: "GlobalKnownHostsFile", treatment: followed, valid: areFiles},
	{name: "GSSAPIAuthentication", treatment: harmless, valid: isFlag, note: noGSSAPI},
	{name: "GSSAPIDelegateCredentials", treatment: harmless, valid: isFlag, note: noGSSAPI},
	{name: "HashKnownHosts", treatment: followed, valid: isFlag},
	{name: "Host", treatment: followed},
	{name: "HostbasedAcceptedAlgorithms", treatment: harmless, valid: isOne, note: noHostbased},
	{name: "HostbasedAuthentication", treatment: harmless, valid: isFlag, note: noHostbased},
	{name: "HostKeyAlgorithms", treatment: viaSSH, valid: isOne,
		note: "The order is that of the known keys, as in ssh, then OpenSSH's default."},
	{name: "HostKeyAlias", treatment: followed, valid: isOne},
	{name: "Hostname", treatment: followed, valid: isHostname},
	{name: "IdentitiesOnly", treatment: followed, valid: isFlag},
	{name: "IdentityAgent", treatment: followed, valid: isOne},
	{name: "IdentityFile", treatment: followed, valid: isOne,
		note: "FIDO keys work through an ssh-agent."},
	{name: "IgnoreUnknown", treatment: followed, valid: isOne},
	{name: "Include", treatment: followed,
		note: "Paths with tokens or environment variables are left to `ssh -G`."},
	{name: "IPQoS", treatment: harmless, valid: isAny, note: "The system's default applies."},
	{name: "KbdInteractiveAuthentication", treatment: followed, valid: isFlag, note: promptedMethods},
	{name: "KbdInteractiveDevices", treatment: harmless, valid: isOne, note: "The server chooses the device."},
	{name: "KexAlgorithms", treatment: viaSSH, valid: isOne,
		note: "Algorithms that golang.org/x/crypto does not implement, such as sntrup761, are skipped."},
	{name: "KnownHostsCommand", treatment: refused, valid: isCommand, refuses: isNotNone,
		note: "The command is not run, so the keys that it would print are unknown."},
	{name: "LocalCommand", treatment: harmless, valid: isCommand, note: noLocalCommand},
	{name: "LocalForward", treatment: harmless, valid: isAny, note: noForwarding},
	{name: "LogLevel", treatment: harmless, valid: isOne, note: noLog},
	{name: "LogVerbose", treatment: harmless, valid: isAny, note: noLog},
	{name: "MACs", treatment: viaSSH, valid: isOne},
	{name: "Match", treatment: followed,
		note: "Commands of `exec` run for each connection; hosts that connect within a second share the result. " +
			"`sessiontype` is `exec`, and `command` is `exec /bin/sh -s`."},
	{name: "NoHostAuthenticationForLocalhost", treatment: followed, valid: isFlag},
	{name: "NumberOfPasswordPrompts", treatment: followed, valid: isNumber, note: "For passphrases of keys, and for passwords."},
	{name: "ObscureKeystrokeTiming", treatment: harmless, valid: isAny, note: noTerminal},
	{name: "PasswordAuthentication", treatment: followed, valid: isFlag, note: promptedMethods},
	{name: "PermitLocalCommand", treatment: harmless, valid: isFlag, note: noLocalCommand},
	{name: "PermitRemoteOpen", treatment: harmless, valid: isAny, note: noForwarding},
	{name: "PKCS11Provider", treatment: harmless, valid: isOne,
		note: "Load the provider into an ssh-agent: `ssh-add -s PROVIDER`."},
	{name: "Port", treatment: followed, valid: isPort},
	{name: "PreferredAuthentications", treatment: followed, valid: isOne,
		note: "Of `publickey`, `keyboard-interactive` and `password`. It is an error if none of them is left."},
	{name: "ProxyCommand", treatment: followed, valid: isCommand},
	{name: "ProxyJump", treatment: followed, valid: isJumpList,
		note: "All hosts behind a bastion share one connection to it. Nothing is passed to a shell."},
	{name: "ProxyUseFdpass", treatment: refused, valid: isFlag, refuses: isYes,
		note: "Receiving a socket from a ProxyCommand is not implemented."},
	{name: "PubkeyAcceptedAlgorithms", treatment: viaSSH, valid: isOne},
	{name: "PubkeyAuthentication", treatment: followed, valid: isOneOf("yes", "no", "true", "false", "unbound", "host-bound")},
	{name: "RefuseConnection", treatment: refused, valid: isOne, refuses: func(string) bool { return true },
		note: "As in ssh, its text is the error."},
	{name: "RekeyLimit", treatment: harmless, valid: isAny, note: "Keys are renewed after the ciphers' default amount of data."},
	{name: "RemoteCommand", treatment: harmless, valid: isCommand, note: "Scripts are the only commands."},
	{name: "RemoteForward", treatment: harmless, valid: isAny, note: noForwarding},
	{name: "RequestTTY", treatment: harmless, valid: isOneOf("yes", "no", "true", "false", "force", "auto"), note: noTerminal},
	{name: "RequiredRSASize", treatment: followed, valid: isNumber, note: "Applies to host keys and user keys."},
	{name: "RevokedHostKeys", treatment: refused, valid: isAny, refuses: isNotNone,
		note: "The file is not read, so revoked keys would be accepted. Mark them `@revoked` in known_hosts instead."},
	{name: "SecurityKeyProvider", treatment: harmless, valid: isOne, note: "FIDO keys work through an ssh-agent, which loads the provider."},
	{name: "SendEnv", treatment: harmless, valid: isAny, note: noEnvironment},
	{name: "ServerAliveCountMax", treatment: followed, valid: isNumber},
	{name: "ServerAliveInterval", treatment: followed, valid: isTime,
		note: "`0` and no value mean that a silent host is given up after 40 seconds."},
	{name: "SessionType", treatment: harmless, valid: isOneOf("none", "subsystem", "default"), note: "Scripts are the only commands."},
	{name: "SetEnv", treatment: harmless, valid: isAny, note: noEnvironment},
	{name: "StdinNull", treatment: harmless, valid: isFlag, note: noTerminal},
	{name: "StreamLocalBindMask", treatment: harmless, valid: isOne, note: noForwarding},
	{name: "StreamLocalBindUnlink", treatment: harmless, valid: isFlag, note: noForwarding},
	{name: "StrictHostKeyChecking", treatment: followed,
		valid: isOneOf("yes", "no", "true", "false", "off", "ask", "accept-new"),
		note:  "`no` is treated as `accept-new`: changed and revoked keys are rejected in every case."},
	{name: "SyslogFacility", treatment: harmless, valid: isOne, note: noLog},
	{name: "Tag", treatment: followed, valid: isOne, note: "For `Match tagged`."},
	{name: "TCPKeepAlive", treatment: harmless, valid: isFlag, note: "Keepalive messages of SSH detect more than those of TCP."},
	{name: "Tunnel", treatment: harmless, valid: isOne, note: noForwarding},
	{name: "TunnelDevice", treatment: harmless, valid: isOne, note: noForwarding},
	{name: "UpdateHostKeys", treatment: harmless, valid: isYesNoAsk,
		note: "Only keys that were verified during a login are added to known_hosts. ssh itself learns the others at its next login."},
	{name: "User", treatment: followed, valid: isOne, note: "Values with tokens are left to `ssh -G`."},
	{name: "UserKnownHostsFile", treatment: followed, valid: areFiles},
	{name: "VerifyHostKeyDNS", treatment: harmless, valid: isYesNoAsk,
		note: "Keys are not looked up in DNS, so a key that only DNS has is unknown."},
	{name: "VersionAddendum", treatment: harmless, valid: isCommand, note: "The version string has no addendum."},
	{name: "VisualHostKey", treatment: harmless, valid: isFlag, note: noTerminal},
	{name: "WarnWeakCrypto", treatment: harmless, valid: isOne, note: noLog},
	{name: "XAuthLocation", treatment: harmless, valid: isOne, note: noForwarding},

	// Obsolete. OpenSSH ignores these, some with a warning.
	{name: "AFSTokenPassing", treatment: harmless, valid: isAny, note: obsolete},
	{name: "Cipher", treatment: harmless, valid: isAny, note: obsolete},
	{name: "CompressionLevel", treatment: harmless, valid: isAny, note: obsolete},
	{name: "FallBackToRsh", treatment: harmless, valid: isAny, note: obsolete},
	{name: "GlobalKnownHostsFile2", treatment: harmless, valid: isAny, note: obsolete},
	{name: "KerberosAuthentication", treatment: harmless, valid: isAny, note: obsolete},
	{name: "KerberosTGTPassing", treatment: harmless, valid: isAny, note: obsolete},
	{name: "Protocol", treatment: harmless, valid: isAny, note: obsolete},
	{name: "RhostsAuthentication", treatment: harmless, valid: isAny, note: obsolete},
	{name: "RhostsRSAAuthentication", treatment: harmless, valid: isAny, note: obsolete},
	{name: "RSAAuthentication", treatment: harmless, valid: isAny, note: obsolete},
	{name: "UsePrivilegedPort", treatment: harmless, valid: isAny, note: obsolete},
	{name: "UserKnownHostsFile2", treatment: harmless, valid: isAny, note: obsolete},
	{name: "UseRoaming", treatment: harmless, valid: isAny, note: obsolete},
	{name: "UseRsh", treatment: harmless, valid: isAny, note: obsolete},

	// Vendors' additions. Only the vendor's ssh accepts them.
	{name: "GSSAPIClientIdentity", treatment: harmless, valid: isOne, note: noGSSAPI},
	{name: "GSSAPIKexAlgorithms", treatment: harmless, valid: isOne, note: noGSSAPI},
	{name: "GSSAPIKeyExchange", treatment: harmless, valid: isFlag, note: noGSSAPI},
	{name: "GSSAPIRenewalForcesRekey", treatment: harmless, valid: isFlag, note: noGSSAPI},
	{name: "GSSAPIServerIdentity", treatment: harmless, valid: isOne, note: noGSSAPI},
	{name: "GSSAPITrustDNS", treatment: harmless, valid: isFlag, note: noGSSAPI},
	{name: "UseKeychain", treatment: harmless, valid: isFlag, note: "Apple's. Passphrases are prompted for, or taken from the ssh-agent."},
}

const (
	noForwarding    = "Nothing is forwarded to or from hosts."
	noTerminal      = "It only affects interactive sessions."
	noControlMaster = "Each connection is a new login. A connection of a running ssh is not used."
	noGSSAPI        = "GSSAPI is not implemented."
	noHostbased     = "Host-based authentication is not implemented."
	promptedMethods = "There is a prompt if the host accepts no public keys and there is a terminal or an SSH_ASKPASS."
	noLocalCommand  = "Local commands are not run."
	noLog           = "It only affects the messages of ssh."
	noEnvironment   = "The environment of a host's commands does not depend on the operator's."
	obsolete        = "Obsolete: OpenSSH ignores it, too."
)

// keywordTable indexes keywords by their names in lower case.
var keywordTable = func() map[string]*keyword {
	table := make(map[string]*keyword, len(keywords))
	for i := range keywords {
		table[strings.ToLower(keywords[i].name)] = &keywords[i]
	}
	return table
}()

// lookupKeyword returns the row of a keyword in lower case, or nil. The row of an alias is the row
// of the keyword that it stands for.
func lookupKeyword(name string) *keyword {
	if canonical, ok := keywordAliases[name]; ok {
		name = canonical
	}
	return keywordTable[name]
}

// refusal returns the error for a value of a refused keyword, or nil if the value is fine.
func (k *keyword) refusal(v value) error {
	text := strings.Join(v.args, " ")
	switch {
	case k.treatment != refused || !k.refuses(strings.ToLower(text)):
		return nil
	case k.name == "RefuseConnection":
		return fmt.Errorf("%s: RefuseConnection: %s", v.origin, text)
	}
	return fmt.Errorf("%s: %s %s is not supported: %s", v.origin, k.name, text, k.note)
}

// isSetting reports whether a keyword has a setting of its own in [Settings].
func (k *keyword) isSetting() bool {
	switch k.name {
	case "Host", "Match", "Include", "IgnoreUnknown", "Tag":
		return false
	}
	return (k.treatment == followed || k.treatment == viaSSH) && !strings.HasPrefix(k.name, "Canonical")
}

func isNumberOrZero(args []string) bool { return isNumber(args) || len(args) == 1 && args[0] == "0" }

func isAny(args []string) bool { return len(args) > 0 && !slices.Contains(args, "") }

func isOne(args []string) bool { return len(args) == 1 && args[0] != "" }

func isCommand(args []string) bool { return args[0] != "" }

func isNotNone(value string) bool { return !strings.EqualFold(value, "none") }

var (
	isFlag     = isOneOf("yes", "no", "true", "false")
	isYesNoAsk = isOneOf("yes", "no", "true", "false", "ask")
)

func isOneOf(words ...string) func([]string) bool {
	return func(args []string) bool {
		return len(args) == 1 && slices.Contains(words, strings.ToLower(args[0]))
	}
}

// isNumber accepts plain numbers. OpenSSH accepts other forms and negative ones, too.
func isNumber(args []string) bool {
	if len(args) != 1 {
		return false
	}
	n, err := strconv.ParseUint(args[0], 10, 31)
	return err == nil && n > 0 && args[0][0] != '+'
}

func isPort(args []string) bool {
	if !isNumber(args) {
		return false
	}
	n, err := strconv.Atoi(args[0])
	return err == nil && n <= 65535
}

func isTime(args []string) bool {
	if len(args) != 1 {
		return false
	}
	_, ok := parseTime(args[0])
	return ok
}

// maxTime is the longest duration that parseTime accepts. OpenSSH's limit is about 68 years.
const maxTime = 366 * 24 * time.Hour

// parseTime parses a duration in the format of sshd_config(5), TIME FORMATS (convtime in misc.c).
// It returns 0 for none.
func parseTime(text string) (d time.Duration, ok bool) {
	if text == "none" {
		return 0, true
	}
	if text == "" {
		return 0, false
	}
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		n, err := strconv.ParseUint(text[:digits], 10, 31)
		if err != nil {
			return 0, false
		}
		text = text[digits:]
		unit := time.Second
		if text != "" {
			switch text[0] {
			case 's', 'S':
			case 'm', 'M':
				unit = time.Minute
			case 'h', 'H':
				unit = time.Hour
			case 'd', 'D':
				unit = 24 * time.Hour
			case 'w', 'W':
				unit = 7 * 24 * time.Hour
			default:
				return 0, false
			}
			text = text[1:]
		}
		if n > uint64(maxTime/unit) {
			return 0, false
		}
		if d += time.Duration(n) * unit; d > maxTime {
			return 0, false
		}
	}
	return d, true
}

var domainPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

// areDomains accepts a list of domains in lower case, or none as the only one.
func areDomains(args []string) bool {
	for _, domain := range args {
		if !domainPattern.MatchString(domain) || domain == "none" && len(args) > 1 {
			return false
		}
	}
	return true
}

// areFiles accepts a list of files, or none as the only one.
func areFiles(args []string) bool {
	return isAny(args) && (len(args) == 1 ||
		!slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, "none") }))
}

// isHostname accepts names whose only tokens are %h and %% (ssh_config(5), TOKENS).
func isHostname(args []string) bool {
	return isOne(args) && !strings.Contains(strings.NewReplacer("%h", "", "%%", "").Replace(args[0]), "%")
}

// isJumpList accepts hosts as they are. Values that may be a URI, or have quotes or comments, are
// left to ssh.
func isJumpList(args []string) bool {
	if strings.ContainsAny(args[0], "$/#\"'\\ \t`;|&<>()") {
		return false
	}
	for jump := range strings.SplitSeq(args[0], ",") {
		if _, err := parseJump(jump); err != nil {
			return false
		}
	}
	return true
}
