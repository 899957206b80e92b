package sshexec

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// value is what one line of the configuration sets a keyword to.
type value struct {
	args   []string
	origin string
	odd    string // why ssh has to interpret it, or ""
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
	blocks    []byte // the blocks that apply, if the configuration has odd lines
	trackOdd  bool
	unhandled *unhandledSyntax // why ssh has to resolve this target, if it does
}

func (v value) isOdd() bool { return v.odd != "" }

// matchedKeywords lists the keywords whose values decide which lines apply.
var matchedKeywords = []string{
	"hostname", "user", "port", "tag", "hostkeyalias", "addressfamily", "canonicaldomains", "canonicalizehostname",
	"canonicalizemaxdots", "canonicalizefallbacklocal", "canonicalizepermittedcnames",
}

// accumulating lists the keywords of which every value applies.
var accumulating = []string{"identityfile", "certificatefile"}

// timeKeywords take a time.
var timeKeywords = []string{"connecttimeout", "serveraliveinterval"}

// evaluate applies the configuration to a target.
func (p *Pool) evaluate(ctx context.Context, config *parsedConfig, t Target) (*evaluation, error) {
	e := &evaluation{pool: p, ctx: ctx, target: t, values: make(map[string][]value), host: t.Name, trackOdd: config.odd != nil}
	// Like arguments of ssh, the target's values come before those of the files.
	if t.Address != "" {
		e.set(directive{keyword: "hostname", args: []string{strings.ReplaceAll(t.Address, "%", "%%")}, file: OriginTarget})
	}
	if t.User != "" {
		e.set(directive{keyword: "user", args: []string{t.User}, file: OriginTarget})
	}
	if t.Port != 0 {
		e.set(directive{keyword: "port", args: []string{strconv.Itoa(t.Port)}, file: OriginTarget})
	}
	if err := e.applyFiles(config.files, true); err != nil {
		return nil, err
	}
	if e.first("canonicalizepermittedcnames") != "" && e.first("canonicalizepermittedcnames") != "none" {
		e.leaveToSSH("canonicalizepermittedcnames")
	}
	// OpenSSH expands tokens in User since 10.0.
	if v := e.values["user"]; v != nil && v[0].origin != OriginTarget && strings.ContainsAny(v[0].args[0], "%$") {
		e.leaveToSSH("user")
	}
	for _, keyword := range matchedKeywords {
		if slices.ContainsFunc(e.values[keyword], value.isOdd) {
			e.leaveToSSH(keyword)
		}
	}
	if e.unhandled != nil {
		return e, nil
	}
	hostname := normalizeHostname(e.hostname(), e.first("addressfamily"))
	if e.canonicalizes() {
		canonical, ok, err := e.canonicalize(hostname)
		if err != nil {
			return nil, err
		}
		if !ok {
			e.leaveToSSH("canonicalizehostname")
			return e, nil
		}
		hostname, e.wantFinal = canonical, true
	}
	if e.wantFinal {
		e.final, e.host = true, hostname
		e.values["hostname"] = []value{{args: []string{strings.ReplaceAll(hostname, "%", "%%")}, origin: e.origin("hostname")}}
		if err := e.applyFiles(config.files, true); err != nil {
			return nil, err
		}
	} else {
		e.values["hostname"] = []value{{args: []string{strings.ReplaceAll(hostname, "%", "%%")}, origin: e.origin("hostname")}}
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
	v := value{d.args, d.origin(), d.odd}
	switch {
	case slices.Contains(accumulating, d.keyword):
		same := func(old value) bool { return slices.Equal(old.args, v.args) }
		if !slices.ContainsFunc(e.values[d.keyword], same) {
			e.values[d.keyword] = append(e.values[d.keyword], v)
		}
		return
	case len(e.values[d.keyword]) > 0:
		return
	case slices.Contains(timeKeywords, d.keyword) && d.odd == "" && d.args[0] == "none":
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
			if applies && e.trackOdd {
				e.blocks = fmt.Appendf(e.blocks, "%d:%d ", f.id, n)
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
						return keywordTable[d.keyword].refusal(value{d.args, d.origin(), d.odd})
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
