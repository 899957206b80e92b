package sshexec

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is what one line of the configuration sets a keyword to.
type value struct {
	args   []string
	origin string
}

// evaluation finds the values that apply to one target. It follows ssh.c and readconf.c: both files
// are read once for the name that the caller passed and, if a `Match final` asks for it, a second
// time for the HostName that the first pass found.
type evaluation struct {
	pool      *Pool
	ctx       context.Context
	target    Target
	values    map[string][]value // by keyword; the first value applies, unless values accumulate
	host      string             // what Host patterns are matched against
	final     bool
	wantFinal bool
	unhandled *unhandledSyntax // why ssh has to resolve this target, if it does
}

// accumulating lists the keywords of which every value applies.
var accumulating = []string{"identityfile", "certificatefile"}

// timeKeywords take a time.
var timeKeywords = []string{"connecttimeout", "serveraliveinterval"}

const originInventory = "inventory"

// evaluate applies the configuration to a target.
func (p *Pool) evaluate(ctx context.Context, config *parsedConfig, t Target) (*evaluation, error) {
	e := &evaluation{pool: p, ctx: ctx, target: t, values: make(map[string][]value), host: t.Name}
	// Like arguments of ssh, the target's values come before those of the files.
	if t.Address != "" {
		e.set(directive{keyword: "hostname", args: []string{strings.ReplaceAll(t.Address, "%", "%%")}, file: originInventory})
	}
	if t.User != "" {
		e.set(directive{keyword: "user", args: []string{t.User}, file: originInventory})
	}
	if t.Port != 0 {
		e.set(directive{keyword: "port", args: []string{strconv.Itoa(t.Port)}, file: originInventory})
	}
	if err := e.applyFiles(config.files, true); err != nil {
		return nil, err
	}
	if canonicalize := e.first("canonicalizehostname"); canonicalize != "" && canonicalize != "no" && canonicalize != "false" {
		e.leaveToSSH("canonicalizehostname")
	}
	if e.first("canonicalizepermittedcnames") != "" && e.first("canonicalizepermittedcnames") != "none" {
		e.leaveToSSH("canonicalizepermittedcnames")
	}
	// OpenSSH expands tokens in User since 10.0.
	if v := e.values["user"]; v != nil && v[0].origin != originInventory && strings.ContainsAny(v[0].args[0], "%$") {
		e.leaveToSSH("user")
	}
	if e.unhandled != nil {
		return e, nil
	}
	hostname := normalizeHostname(e.hostname(), e.first("addressfamily"))
	if e.wantFinal {
		e.final, e.host = true, hostname
		e.values["hostname"] = []value{{[]string{strings.ReplaceAll(hostname, "%", "%%")}, e.origin("hostname")}}
		if err := e.applyFiles(config.files, true); err != nil {
			return nil, err
		}
	} else {
		e.values["hostname"] = []value{{[]string{strings.ReplaceAll(hostname, "%", "%%")}, e.origin("hostname")}}
	}
	return e, nil
}

// leaveToSSH records that ssh has to resolve the target because of the value of a keyword.
func (e *evaluation) leaveToSSH(keyword string) {
	e.unhandled = &unhandledSyntax{
		file:   e.origin(keyword),
		reason: fmt.Sprintf("%s %s", lookupKeyword(keyword).name, strings.Join(e.values[keyword][0].args, " ")),
	}
}

// first returns the value of a keyword, or "".
func (e *evaluation) first(keyword string) string {
	if v := e.values[keyword]; len(v) > 0 {
		return strings.Join(v[0].args, " ")
	}
	return ""
}

func (e *evaluation) origin(keyword string) string {
	if v := e.values[keyword]; len(v) > 0 {
		return v[0].origin
	}
	return ""
}

// set adds the values of a line that applies.
func (e *evaluation) set(d directive) {
	v := value{d.args, d.origin()}
	switch {
	case slices.Contains(accumulating, d.keyword):
		same := func(old value) bool { return slices.Equal(old.args, v.args) }
		if !slices.ContainsFunc(e.values[d.keyword], same) {
			e.values[d.keyword] = append(e.values[d.keyword], v)
		}
		return
	case len(e.values[d.keyword]) > 0:
		return
	case slices.Contains(timeKeywords, d.keyword) && d.args[0] == "none":
		return // the same as no value, so that a later one applies (parse_time in readconf.c)
	case d.keyword == "proxyjump" && !strings.EqualFold(d.args[0], "none") && len(e.values["proxycommand"]) > 0,
		d.keyword == "proxycommand" && len(e.values["proxyjump"]) > 0 && !strings.EqualFold(e.first("proxyjump"), "none"):
		// Whichever comes first wins, except that a ProxyCommand still applies after `ProxyJump
		// none` (parse_jump in readconf.c).
		return
	}
	e.values[d.keyword] = []value{v}
}

// applyFiles evaluates files one after another. active reports whether the block that includes them
// applies; if it does not, only their Match lines matter, because they may request a second pass.
func (e *evaluation) applyFiles(files []*configFile, active bool) error {
	for _, f := range files {
		for _, n := range f.candidates(e.host) {
			b := &f.blocks[n]
			applies := active
			switch {
			case b.match:
				matches, err := e.matches(b.criteria, active)
				if err != nil {
					return err
				}
				applies = applies && matches
			case b.patterns != nil:
				applies = applies && b.matchesHost(e.host)
			}
			for _, d := range b.lines {
				switch {
				case d.included != nil:
					if err := e.applyFiles(d.included, applies); err != nil {
						return err
					}
				case applies:
					e.set(d)
					if d.keyword == "refuseconnection" {
						return keywordTable[d.keyword].refusal(value{d.args, d.origin()})
					}
				}
			}
		}
	}
	return nil
}

// hostname returns the HostName that is known so far, with its tokens expanded.
func (e *evaluation) hostname() string {
	hostname := e.first("hostname")
	if hostname == "" {
		return e.host
	}
	return strings.NewReplacer("%h", e.host, "%%", "%").Replace(hostname)
}

// normalizeHostname returns a host name in lower case, and an address of the family in its usual
// form (is_addr and resolve_canonicalize in ssh.c).
func normalizeHostname(name, family string) string {
	ip, err := netip.ParseAddr(name)
	if err != nil {
		ip, _ = parseInetAton(name)
	}
	switch {
	case ip.Zone() != "":
		return name
	case ip.Is4() && !strings.EqualFold(family, "inet6"), ip.Is6() && !strings.EqualFold(family, "inet"):
		return ip.String()
	case strings.ContainsAny(name, "%:") || strings.Trim(name, "0123456789.") == "":
		return name
	}
	return lowerASCII(name)
}

// lowerASCII replaces A to Z with lower case, as tolower(3) does in OpenSSH.
func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

var inetAtonPart = regexp.MustCompile(`^(0[xX][0-9a-fA-F]+|[0-9]+)$`)

// parseInetAton parses an IPv4 address in the forms of inet_aton(3), such as 10.1 for 10.0.0.1.
func parseInetAton(text string) (netip.Addr, bool) {
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		if !inetAtonPart.MatchString(part) {
			return netip.Addr{}, false
		}
		n, err := strconv.ParseUint(strings.ToLower(part), 0, 32)
		limit := uint64(0xff)
		if i == len(parts)-1 {
			limit = 1<<(8*(5-len(parts))) - 1
		}
		if err != nil || n > limit {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			n <<= 24 - 8*i
		}
		sum |= n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

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
			s.Origins[name] = originInventory
		}
	}
	s.ConnectTimeout = cmp.Or(t.Timeout, s.ConnectTimeout)
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
