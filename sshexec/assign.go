package sshexec

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

func noneIsEmpty(value string) string {
	if strings.EqualFold(value, "none") {
		return ""
	}
	return value
}

// newSettings returns the settings that the values describe. Values that they do not set are left
// to applyDefaults.
func newSettings(t Target, values map[string][]value) (Settings, error) {
	s := Settings{Alias: t.Name, Origins: make(map[string]string)}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		k := lookupKeyword(name)
		if k == nil || k.treatment == harmless && name != "verifyhostkeydns" {
			continue
		}
		v := values[name][0]
		if v.origin != "" {
			s.Origins[k.name] = v.origin
		}
		if err := k.refusal(v); err != nil {
			return s, err
		}
		if err := s.assign(name, values[name]); err != nil {
			return s, fmt.Errorf("%s: %w", v.origin, err)
		}
	}
	for name, isSet := range map[string]bool{
		"Hostname": t.Address != "", "User": t.User != "", "Port": t.Port != 0, "ConnectTimeout": t.Timeout != 0,
	} {
		if isSet {
			s.Origins[name] = OriginTarget
		}
	}
	s.ConnectTimeout = cmp.Or(t.Timeout, s.ConnectTimeout)
	for _, k := range keywords {
		if s.Origins[k.name] == "" && k.isSetting() {
			s.Origins[k.name] = OriginDefault
		}
	}
	return s, nil
}

// assign sets the field of a keyword.
func (s *Settings) assign(keyword string, values []value) (err error) {
	args := values[0].args
	text := strings.Join(args, " ")
	switch keyword {
	case "hostname":
		s.Hostname = strings.ReplaceAll(text, "%%", "%")
	case "user":
		s.User = text
	case "port":
		s.Port, err = strconv.Atoi(text)
	case "identityfile":
		s.IdentityFilesConfigured = true
		s.IdentityFiles = []string{}
		for _, v := range values {
			// IdentityFile none only means that there are no default files.
			if file := v.args[0]; !strings.EqualFold(file, "none") {
				s.IdentityFiles = append(s.IdentityFiles, file)
			}
		}
	case "certificatefile":
		for _, v := range values {
			s.CertificateFiles = append(s.CertificateFiles, v.args[0])
		}
	case "identitiesonly":
		s.IdentitiesOnly = isYes(text)
	case "identityagent":
		s.IdentityAgent = text
		if strings.EqualFold(text, "none") {
			s.IdentityAgent = noAgent
		}
	case "proxyjump":
		s.ProxyJump = noneIsEmpty(text)
	case "proxycommand":
		s.ProxyCommand = noneIsEmpty(text)
	case "stricthostkeychecking":
		s.StrictHostKeyChecking = normalizeStrictHostKeyChecking(text)
	case "userknownhostsfile":
		s.UserKnownHostsFiles = filesOrNone(args)
	case "globalknownhostsfile":
		s.GlobalKnownHostsFiles = filesOrNone(args)
	case "hostkeyalias":
		s.HostKeyAlias = lowerASCII(text)
	case "hashknownhosts":
		s.HashKnownHosts = isYes(text)
	case "nohostauthenticationforlocalhost":
		s.NoHostAuthenticationForLocalhost = isYes(text)
	case "verifyhostkeydns":
		s.verifyHostKeyDNS = isYes(text) || strings.EqualFold(text, "ask")
	case "addressfamily":
		s.AddressFamily = strings.ToLower(text)
	case "bindaddress":
		s.BindAddress = text
	case "preferredauthentications":
		s.AuthMethods = strings.Split(text, ",")
	case "pubkeyauthentication":
		s.disableMethod("publickey", text)
	case "kbdinteractiveauthentication":
		s.disableMethod("keyboard-interactive", text)
	case "passwordauthentication":
		s.disableMethod("password", text)
	case "batchmode":
		s.BatchMode = isYes(text)
	case "numberofpasswordprompts":
		s.NumberOfPasswordPrompts, err = strconv.Atoi(text)
	case "connectionattempts":
		s.ConnectionAttempts, err = strconv.Atoi(text)
	case "requiredrsasize":
		s.RequiredRSASize, err = strconv.Atoi(text)
	case "connecttimeout":
		s.ConnectTimeout, err = assignTime(text)
	case "serveraliveinterval":
		s.ServerAliveInterval, err = assignTime(text)
	case "serveralivecountmax":
		s.ServerAliveCountMax, err = strconv.Atoi(text)
	case "hostkeyalgorithms":
		s.HostKeyAlgorithms = strings.Split(text, ",")
	case "pubkeyacceptedalgorithms":
		s.PubkeyAcceptedAlgorithms = strings.Split(text, ",")
	case "casignaturealgorithms":
		s.CASignatureAlgorithms = strings.Split(text, ",")
	case "ciphers":
		s.Ciphers = strings.Split(text, ",")
	case "macs":
		s.MACs = strings.Split(text, ",")
	case "kexalgorithms":
		s.KexAlgorithms = strings.Split(text, ",")
	}
	return err
}

func (s *Settings) disableMethod(method, value string) {
	if lower := strings.ToLower(value); lower == "no" || lower == "false" {
		s.disabledMethods = append(s.disabledMethods, method)
	}
}

// limitMethods reduces AuthMethods to those that are implemented and not disabled. None is an
// error.
func (s *Settings) limitMethods() error {
	implemented := []string{"publickey", "keyboard-interactive", "password"} // in OpenSSH's order
	configured := s.AuthMethods
	if configured == nil {
		configured = implemented
	}
	s.AuthMethods = nil
	for _, method := range configured {
		if slices.Contains(implemented, method) && !slices.Contains(s.disabledMethods, method) && !slices.Contains(s.AuthMethods, method) {
			s.AuthMethods = append(s.AuthMethods, method)
		}
	}
	s.disabledMethods = nil
	if s.AuthMethods == nil {
		origin := s.Origins["PreferredAuthentications"]
		if origin == OriginDefault {
			origin = s.Origins["PubkeyAuthentication"]
		}
		return fmt.Errorf("%s: it leaves no method to log in with: of %s, only %s are supported", origin,
			strings.Join(configured, ","), strings.Join(implemented, ","))
	}
	return nil
}

func assignTime(text string) (time.Duration, error) {
	d, ok := parseTime(text)
	if !ok {
		return 0, fmt.Errorf("invalid time %q", text)
	}
	return d, nil
}

func filesOrNone(args []string) []string {
	if len(args) == 1 && strings.EqualFold(args[0], "none") {
		return []string{}
	}
	return slices.Clone(args)
}

func isYes(value string) bool {
	lower := strings.ToLower(value)
	return lower == "yes" || lower == "true"
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

// localHostname returns the name of this machine.
func localHostname() string {
	name, _ := os.Hostname()
	return name
}
