package sshexec

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Match lines. OpenSSH before 9.4 splits them in another way than other lines, which makes a
// difference for the values that checkCriteria rejects.

var (
	doubleQuoted   = regexp.MustCompile(`"[^"]*"`)
	plainCriterion = regexp.MustCompile(`^[^=]+$|^!?[A-Za-z]+=[^=]*$`)
)

// criterionHasValue maps the criteria of a Match line to whether they take an argument.
var criterionHasValue = map[string]bool{
	"all": false, "canonical": false, "final": false, "host": true, "originalhost": true, "user": true,
	"localuser": true, "exec": true, "localnetwork": true, "tagged": true, "command": true,
	"version": true, "sessiontype": true,
}

// checkCriteria returns why a Match line is not understood, or "".
func checkCriteria(raw string, args []string) string {
	unquoted := doubleQuoted.ReplaceAllString(raw, "x")
	if strings.ContainsAny(unquoted, `\'"`) || strings.Contains(raw, `\`) {
		return "\"Match\" has escapes or single quotes"
	}
	for _, word := range strings.Fields(unquoted) {
		if strings.HasPrefix(word, "#") {
			break
		}
		if !plainCriterion.MatchString(word) {
			return fmt.Sprintf("\"Match\" has %q", word)
		}
	}
	count := 0
	for c, rest := range eachCriterion(args) {
		takesValue, known := criterionHasValue[c.name]
		switch {
		case !known:
			return fmt.Sprintf("\"Match\" has the unknown criterion %q", c.name)
		case takesValue != c.hasValue:
			return fmt.Sprintf("the criterion %q of \"Match\" has no value", c.name)
		case c.hasValue && (strings.HasPrefix(c.value, "#") || c.value == "" && c.name != "tagged" && c.name != "command"):
			return fmt.Sprintf("the criterion %q of \"Match\" has no value", c.name)
		case c.name == "all" && (count > 1 || rest > 0):
			return "\"Match all\" has more criteria"
		case c.name == "localnetwork" && parseNetworks(c.value) == nil:
			return fmt.Sprintf("\"Match localnetwork\" has the networks %q", c.value)
		}
		count++
	}
	if count == 0 {
		return "\"Match\" has no criteria"
	}
	return ""
}

type criterion struct {
	name, value       string
	negated, hasValue bool
}

// eachCriterion yields the criteria of a Match line, each with the number of words after it.
func eachCriterion(args []string) func(yield func(criterion, int) bool) {
	return func(yield func(criterion, int) bool) {
		for len(args) > 0 {
			var c criterion
			word := args[0]
			args = args[1:]
			word, c.negated = strings.CutPrefix(word, "!")
			c.name, c.value, c.hasValue = strings.Cut(word, "=")
			c.name = strings.ToLower(c.name)
			if !c.hasValue && criterionHasValue[c.name] && len(args) > 0 {
				c.value, c.hasValue, args = args[0], true, args[1:]
			}
			if !yield(c, len(args)) {
				return
			}
		}
	}
}

// matches reports whether a Match line applies (match_cfg_line in readconf.c). mayExec is false if
// the result does not matter, so that no command needs to run.
func (e *evaluation) matches(args []string, mayExec bool) (bool, error) {
	result := true
	for c := range eachCriterion(args) {
		var matched bool
		switch patterns := strings.Split(c.value, ","); c.name {
		case "all":
			matched = true
		case "canonical", "final":
			matched = e.final
			if c.name == "final" && !c.negated && !e.final {
				e.wantFinal = true
			}
		case "host":
			matched = matchHostname(e.hostname(), c.value)
		case "originalhost":
			matched = matchHostname(e.target.Name, c.value)
		case "user":
			matched = matchPatternList(patterns, e.user())
		case "localuser":
			matched = matchPatternList(patterns, e.pool.options.User)
		case "tagged":
			matched = matchOrBothEmpty(e.first("tag"), c.value)
		case "command":
			matched = matchOrBothEmpty("exec /bin/sh -s", c.value)
		case "sessiontype":
			matched = matchPatternList(patterns, "exec")
		case "localnetwork":
			matched = onLocalNetwork(c.value)
		case "version":
			version, err := e.pool.resolver.sshVersion(e.ctx)
			if err != nil {
				return false, err
			}
			matched = matchPatternList(patterns, version)
		case "exec":
			if !result || !mayExec {
				continue
			}
			if slices.ContainsFunc(e.values["proxyjump"], value.isOdd) {
				e.leaveToSSH("proxyjump") // the command may contain %j
			}
			command, err := e.pool.expandPercent(c.value, "CLdhiklnpruj%", e.partialSettings())
			if err != nil {
				return false, fmt.Errorf("in Match exec: %w", err)
			}
			if matched, err = e.pool.resolver.matchExec(e.ctx, command); err != nil {
				return false, err
			}
		}
		if matched == c.negated {
			result = false
		}
	}
	return result, nil
}

// matchHostname reports whether a name matches a list of patterns, in any case (match_hostname in
// match.c).
func matchHostname(name, patterns string) bool {
	return matchPatternList(strings.Split(lowerASCII(patterns), ","), lowerASCII(name))
}

// matchOrBothEmpty reports whether text matches a list of patterns. Empty text matches only an
// empty list.
func matchOrBothEmpty(text, patterns string) bool {
	if text == "" {
		return patterns == ""
	}
	return matchPatternList(strings.Split(patterns, ","), text)
}

func (e *evaluation) user() string {
	if user := e.first("user"); user != "" {
		return user
	}
	return e.pool.options.User
}

// partialSettings returns what tokens in a Match line stand for.
func (e *evaluation) partialSettings() Settings {
	s := Settings{Alias: e.target.Name, Hostname: e.hostname(), User: e.user(), Port: 22, ProxyJump: noneIsEmpty(e.first("proxyjump"))}
	if port, err := strconv.Atoi(e.first("port")); err == nil {
		s.Port = port
	}
	s.HostKeyAlias = e.first("hostkeyalias")
	if s.HostKeyAlias == "" {
		// Here, %k is the host name (expand_match_exec_or_include_path in readconf.c).
		s.HostKeyAlias = s.Hostname
	}
	return s
}

func parseNetworks(list string) []netip.Prefix {
	var networks []netip.Prefix
	for text := range strings.SplitSeq(list, ",") {
		text = strings.TrimPrefix(text, "!")
		network, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil
			}
			network = netip.PrefixFrom(addr, addr.BitLen())
		}
		if network != network.Masked() {
			return nil // ssh rejects it
		}
		networks = append(networks, network)
	}
	return networks
}

// onLocalNetwork reports whether an interface has an address in a list of networks
// (check_match_ifaddrs in readconf.c and addr_match_cidr_list in addrmatch.c).
func onLocalNetwork(list string) bool {
	networks, names := parseNetworks(list), strings.Split(list, ",")
	inList := func(addr netip.Addr) bool {
		found := false
		for i, network := range networks {
			if !network.Contains(addr) {
				continue
			}
			if strings.HasPrefix(names[i], "!") {
				return false
			}
			found = true
		}
		return found
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return false
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if ipNet, ok := a.(*net.IPNet); ok {
				if addr, ok := netip.AddrFromSlice(ipNet.IP); ok && inList(addr.Unmap()) {
					return true
				}
			}
		}
	}
	return false
}
