package sshexec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parsedKeywords maps keywords to the argument forms that this package parses itself. ssh has to
// read anything that is neither here nor in ignoredKeywords.
var parsedKeywords = map[string]func(args []string) bool{
	"hostname":              isWord,
	"user":                  isWord,
	"hostkeyalias":          isWord,
	"port":                  isNumber,
	"serveraliveinterval":   isNumber,
	"serveralivecountmax":   isNumber,
	"connecttimeout":        isNumber,
	"identityfile":          isPath,
	"certificatefile":       isPath,
	"identityagent":         isSocket,
	"identitiesonly":        isOneOf("yes", "no", "true", "false"),
	"hashknownhosts":        isOneOf("yes", "no", "true", "false"),
	"stricthostkeychecking": isOneOf("yes", "no", "true", "false", "off", "ask", "accept-new"),
	"addressfamily":         isOneOf("any", "inet", "inet6"),
	"proxyjump":             isJumpList,
	"proxycommand":          isCommand,
	"userknownhostsfile":    arePaths,
	"globalknownhostsfile":  arePaths,
}

// ignoredKeywords lists the keywords that do not affect logins made by this package. They configure
// terminals, forwarding, connection sharing, other authentication methods, or ssh's output.
var ignoredKeywords = strings.Fields(`addkeystoagent batchmode checkhostip clearallforwardings
	compression controlmaster controlpath controlpersist dynamicforward enableescapecommandline
	escapechar exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11
	forwardx11timeout forwardx11trusted gatewayports gssapiauthentication gssapidelegatecredentials
	hostbasedauthentication ipqos kbdinteractiveauthentication challengeresponseauthentication
	localcommand localforward loglevel logverbose numberofpasswordprompts passwordauthentication
	permitlocalcommand preferredauthentications rekeylimit remotecommand remoteforward requesttty
	sendenv sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink syslogfacility
	tcpkeepalive updatehostkeys visualhostkey xauthlocation`)

func isWord(args []string) bool { return len(args) == 1 && !strings.ContainsAny(args[0], "%$") }

func isNumber(args []string) bool {
	if len(args) != 1 {
		return false
	}
	n, err := strconv.ParseUint(args[0], 10, 16)
	return err == nil && n > 0 && args[0][0] != '+'
}

func arePaths(args []string) bool {
	return !slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, "none") })
}

func isPath(args []string) bool { return len(args) == 1 && arePaths(args) }

func isSocket(args []string) bool { return len(args) == 1 && !strings.HasPrefix(args[0], "$") }

func isJumpList(args []string) bool { return len(args) == 1 && !strings.ContainsAny(args[0], "%$/") }

func isCommand(args []string) bool { return args[0] != "" }

func isOneOf(words ...string) func([]string) bool {
	return func(args []string) bool {
		return len(args) == 1 && slices.Contains(words, strings.ToLower(args[0]))
	}
}

// unhandledReason returns why this package does not parse a keyword with these arguments, or "" if
// it does.
func unhandledReason(keyword string, args []string) string {
	if slices.Contains(ignoredKeywords, keyword) {
		return ""
	}
	isHandled, known := parsedKeywords[keyword]
	switch {
	case !known:
		return fmt.Sprintf("keyword %q", keyword)
	case !isHandled(args):
		return fmt.Sprintf("value %q of %q", strings.Join(args, " "), keyword)
	}
	return ""
}

// assign sets the field for a keyword to a value as written in a configuration file or printed by
// `ssh -G`. As in ssh, the first value of most keywords wins, and a few accumulate. assigned
// records the keywords that have a value.
func (s *Settings) assign(assigned map[string]bool, keyword string, args []string) {
	value := strings.Join(args, " ")
	if strings.EqualFold(value, "none") {
		value, args = "", []string{}
	}
	switch keyword {
	case "identityfile":
		if value == "" { // IdentityFile none: no default files either
			s.IdentityFiles = []string{}
		} else if !slices.Contains(s.IdentityFiles, value) {
			s.IdentityFiles = append(s.IdentityFiles, value)
		}
		return
	case "certificatefile":
		if value != "" && !slices.Contains(s.CertificateFiles, value) {
			s.CertificateFiles = append(s.CertificateFiles, value)
		}
		return
	}
	// Of ProxyJump and ProxyCommand, whichever comes first wins, except that a ProxyCommand still
	// applies after `ProxyJump none`.
	if assigned[keyword] || keyword == "proxyjump" && assigned["proxycommand"] ||
		keyword == "proxycommand" && s.ProxyJump != "" {
		return
	}
	assigned[keyword] = true
	switch keyword {
	case "hostname":
		s.Hostname = value
	case "user":
		s.User = value
	case "port":
		s.Port, _ = strconv.Atoi(value)
	case "identitiesonly":
		s.IdentitiesOnly = isYes(value)
	case "identityagent":
		s.IdentityAgent = value
		if value == "" {
			s.IdentityAgent = noAgent
		}
	case "proxyjump":
		s.ProxyJump = value
	case "proxycommand":
		s.ProxyCommand = value
	case "stricthostkeychecking":
		s.StrictHostKeyChecking = normalizeStrictHostKeyChecking(value)
	case "userknownhostsfile":
		s.UserKnownHostsFiles = slices.Clone(args)
	case "globalknownhostsfile":
		s.GlobalKnownHostsFiles = slices.Clone(args)
	case "hostkeyalias":
		s.HostKeyAlias = value
	case "hashknownhosts":
		s.HashKnownHosts = isYes(value)
	case "addressfamily":
		s.AddressFamily = strings.ToLower(value)
	case "bindaddress":
		s.BindAddress = value
	case "connecttimeout":
		s.ConnectTimeout = parseSeconds(value)
	case "serveraliveinterval":
		s.ServerAliveInterval = parseSeconds(value)
	case "serveralivecountmax":
		s.ServerAliveCountMax, _ = strconv.Atoi(value)
	case "hostkeyalgorithms":
		s.HostKeyAlgorithms = strings.Split(value, ",")
	case "ciphers":
		s.Ciphers = strings.Split(value, ",")
	case "macs":
		s.MACs = strings.Split(value, ",")
	case "kexalgorithms":
		s.KexAlgorithms = strings.Split(value, ",")
	}
}

func isYes(value string) bool {
	lower := strings.ToLower(value)
	return lower == "yes" || lower == "true"
}

func parseSeconds(value string) time.Duration {
	n, _ := strconv.Atoi(value)
	return time.Duration(n) * time.Second
}

// normalizeStrictHostKeyChecking maps the values that `ssh -G` prints to those in ssh_config(5).
func normalizeStrictHostKeyChecking(value string) string {
	switch lower := strings.ToLower(value); lower {
	case "true":
		return "yes"
	case "false", "off":
		return "no"
	default:
		return lower
	}
}

// noAgent is the value of Settings.IdentityAgent for `IdentityAgent none` until applyDefaults has
// run, because "" stands for the default there.
const noAgent = "none"
