package sshexec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// plain says which values of a keyword are read here as ssh reads them. What is neither in this table nor one of those that
// have no part in a login is left to ssh.
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
	"identityagent":         func(args []string) bool { return len(args) == 1 && !strings.HasPrefix(args[0], "$") },
	"identitiesonly":        isOneOf("yes", "no", "true", "false"),
	"hashknownhosts":        isOneOf("yes", "no", "true", "false"),
	"stricthostkeychecking": isOneOf("yes", "no", "true", "false", "off", "ask", "accept-new"),
	"addressfamily":         isOneOf("any", "inet", "inet6"),
	"proxyjump":             func(args []string) bool { return len(args) == 1 && !strings.ContainsAny(args[0], "%$/") },
	"proxycommand":          func(args []string) bool { return args[0] != "" },
	"userknownhostsfile":    arePaths,
	"globalknownhostsfile":  arePaths,
}

// beside are the keywords that change nothing about a login as it is made here: they are about terminals, forwardings,
// sharing of connections, other ways to log in, and what ssh prints.
var ignoredKeywords = strings.Fields(`addkeystoagent batchmode checkhostip clearallforwardings compression controlmaster controlpath
	controlpersist dynamicforward enableescapecommandline escapechar exitonforwardfailure fingerprinthash forkafterauthentication
	forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports gssapiauthentication gssapidelegatecredentials
	hostbasedauthentication ipqos kbdinteractiveauthentication challengeresponseauthentication localcommand localforward loglevel
	logverbose numberofpasswordprompts passwordauthentication permitlocalcommand preferredauthentications rekeylimit remotecommand
	remoteforward requesttty sendenv sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink syslogfacility
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

func isOneOf(words ...string) func([]string) bool {
	return func(args []string) bool { return len(args) == 1 && slices.Contains(words, strings.ToLower(args[0])) }
}

// plainValue says why a keyword with its value is beyond what is read here, or "".
func unhandledReason(keyword string, args []string) string {
	if slices.Contains(ignoredKeywords, keyword) {
		return ""
	}
	ok, known := parsedKeywords[keyword]
	switch {
	case !known:
		return fmt.Sprintf("the keyword %q", keyword)
	case !ok(args):
		return fmt.Sprintf("%q for %q", strings.Join(args, " "), keyword)
	}
	return ""
}

// assign puts one value where it belongs, as the configuration file or `ssh -G` writes it. ssh takes the first value it
// finds for a keyword, and all values of a few; told keeps which have been.
func (s *Settings) assign(told map[string]bool, keyword string, args []string) {
	value := strings.Join(args, " ")
	if strings.EqualFold(value, "none") {
		value, args = "", []string{}
	}
	switch keyword {
	case "identityfile":
		if value == "" { // IdentityFile none: not even the usual ones
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
	// Of ProxyJump and ProxyCommand the first is the one, except that `ProxyJump none` keeps no ProxyCommand away.
	if told[keyword] || keyword == "proxyjump" && told["proxycommand"] || keyword == "proxycommand" && s.ProxyJump != "" {
		return
	}
	told[keyword] = true
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

// strictness is StrictHostKeyChecking in the words of the manual; `ssh -G` has others.
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

// noAgent is `IdentityAgent none`, where "" would be the agent of the environment.
const noAgent = "none"
