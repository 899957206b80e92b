package change

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what is kept of a host's answer.
const (
	MaxPackages = 200     // packages that a record keeps of a host's part of a run
	MaxUnits    = 200     // units of a [Set]
	MaxText     = 255     // bytes of a name and of a list of versions
	MaxClosure  = 1 << 60 // bytes
	maxParsed   = 5000    // packages of a [Set]; all further ones are only counted
	maxMore     = 1 << 20 // packages that a host may say it has left out
)

// Parser collects a [Set] from lines of a host, which must be clean. Its zero value is ready.
type Parser struct {
	packages []Package
	paths    map[string]*versions // by package; from hosts without nix store diff-closures
	parsed   int                  // lines about packages
	counts   map[Word]int
	more     int // packages that the host has left out
	closure  *Closure
	units    map[string][]string // by verb
	named    int                 // units in units
	missing  string
	compared bool
	seen     bool
}

// versions are the versions that only one of two closures has.
type versions struct{ before, after map[string]bool }

// Fact takes a line that fleet/remote/lib/compare.sh prints, as its first word and the rest. It
// reports whether the first word is one of that script's.
func (p *Parser) Fact(key, value string) bool {
	switch key {
	case "closure":
		p.setClosure(value)
	case "difference":
		if c, ok := parseDifference(value); ok {
			p.add(c)
		}
	case "only":
		p.addPath(value)
	case "more":
		n, _ := strconv.ParseUint(value, 10, 63)
		p.more = int(min(n, maxMore))
	case "incomparable":
		p.missing = cmp.Or(reasons[value], "the host could not compare them")
	case "compared":
		p.compared = true
	default:
		return false
	}
	p.seen = true
	return true
}

// reasons are the codes with which a host reports that it cannot compare.
var reasons = map[string]string{
	"slow":  "the comparison took too long",
	"first": "nothing ran before",
}

func (p *Parser) count(w Word, n int) {
	if p.counts == nil {
		p.counts = map[Word]int{}
	}
	p.counts[w] = min(p.counts[w]+n, maxMore)
}

func (p *Parser) add(c Package) {
	p.count(c.Word, 1)
	if p.parsed++; p.parsed <= maxParsed {
		c.Name, c.Before, c.After = cut(c.Name), cut(c.Before), cut(c.After)
		p.packages = append(p.packages, c)
	}
}

// cut shortens a text to MaxText bytes.
func cut(text string) string {
	if len(text) <= MaxText {
		return text
	}
	return strings.ToValidUTF8(text[:MaxText-len("…")], "") + "…"
}

func (p *Parser) setClosure(value string) {
	before, after, _ := strings.Cut(value, " ")
	b, errBefore := strconv.ParseUint(before, 10, 64)
	a, errAfter := strconv.ParseUint(after, 10, 64)
	if errBefore != nil || errAfter != nil {
		return
	}
	c := Closure{Before: int64(min(b, MaxClosure)), After: int64(min(a, MaxClosure))}
	c.Difference = c.After - c.Before
	p.closure = &c
}

var sizeChange = regexp.MustCompile(`(?:^|, )([+-][0-9.]+ [KMGTPE]iB)$`)

// parseDifference parses a line of nix store diff-closures: "NAME: BEFORE → AFTER, SIZE", of which
// either half may be missing. ∅ stands for no package, ε for one without a version: see Nix,
// src/nix/diff-closures.cc.
func parseDifference(line string) (c Package, ok bool) {
	name, rest, ok := strings.Cut(line, ": ")
	if !ok || name == "" || strings.Contains(name, " ") {
		return c, false
	}
	c = Package{Name: name, Word: Size}
	if at := sizeChange.FindStringSubmatchIndex(rest); at != nil {
		c.Size, rest = rest[at[2]:at[3]], rest[:at[0]]
	}
	before, after, versions := strings.Cut(rest, " → ")
	if !versions {
		return c, c.Size != ""
	}
	c.Before, c.After = strings.Trim(before, "∅ε"), strings.Trim(after, "∅ε")
	c.Word = wordOf(before == "∅", after == "∅", c.Before, c.After)
	return c, true
}

func wordOf(isNew, isGone bool, before, after string) Word {
	switch {
	case isNew:
		return New
	case isGone:
		return Gone
	case older(after, before):
		return Down
	}
	return Up
}

// versionStart is where the version starts in a name: see DrvName in Nix, src/libstore/names.cc.
var versionStart = regexp.MustCompile(`-[^A-Za-z]`)

// addPath parses "before NAME" or "after NAME": the name of a store path, without its hash and the
// name of its output, that only one of the closures has.
func (p *Parser) addPath(value string) {
	side, name, _ := strings.Cut(value, " ")
	name = cut(name)
	if name == "" || strings.Contains(name, " ") || side != "before" && side != "after" {
		return
	}
	if p.parsed++; p.parsed > maxParsed {
		return
	}
	version := ""
	if at := versionStart.FindStringIndex(name); at != nil {
		name, version = name[:at[0]], name[at[0]+1:]
	}
	if p.paths == nil {
		p.paths = map[string]*versions{}
	}
	v := p.paths[name]
	if v == nil {
		v = &versions{map[string]bool{}, map[string]bool{}}
		p.paths[name] = v
	}
	if side == "before" {
		v.before[version] = true
	} else {
		v.after[version] = true
	}
}

// addPaths adds the packages of the store paths.
func (p *Parser) addPaths() {
	for _, name := range slices.Sorted(maps.Keys(p.paths)) {
		v := p.paths[name]
		c := Package{
			Name: name, Before: cut(strings.Join(slices.Sorted(maps.Keys(v.before)), ", ")),
			After: cut(strings.Join(slices.Sorted(maps.Keys(v.after)), ", ")),
		}
		c.Word = wordOf(len(v.before) == 0, len(v.after) == 0, c.Before, c.After)
		p.count(c.Word, 1)
		p.packages = append(p.packages, c)
	}
	p.paths = nil
}

var unitLines = []*regexp.Regexp{
	// switch-to-configuration, for system and user units; dry-activate prints "would stop": see
	// nixpkgs, pkgs/by-name/sw/switch-to-configuration-ng/src/src/main.rs.
	regexp.MustCompile(`^(?:would )?(stop|reload|restart|start)(?:p?ing)? the following (?:new |user )*units: (.+)$`),
	regexp.MustCompile(`^the following new (?:user )?units were (start)ed: (.+)$`),
	// sd-switch, with which home-manager switches the units of a user: see home-manager,
	// modules/systemd.nix and tests/integration/standalone/standard-basics.nix.
	regexp.MustCompile(`^(Stop|Reload|Restart|Start)p?ing units: (.+)$`),
	// nix-darwin, one line for each service: see modules/system/launchd.nix there.
	regexp.MustCompile(`^(reload|creat|remov)ing (?:user )?service ([^ ]+)$`),
}

// serviceVerbs are the verbs for what nix-darwin does to services.
var serviceVerbs = map[string]string{"creat": "start", "remov": "stop"}

// Output takes a line that an activation or switch-to-configuration dry-activate has printed.
func (p *Parser) Output(line string) {
	for _, expr := range unitLines {
		if found := expr.FindStringSubmatch(line); found != nil {
			verb := strings.ToLower(found[1])
			p.AddUnits(cmp.Or(serviceVerbs[verb], verb), strings.Split(found[2], ", "))
			return
		}
	}
}

var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]{1,255}$`)

// AddUnits adds units to those that the verb is about. It ignores what is not the name of a unit.
func (p *Parser) AddUnits(verb string, names []string) {
	for _, name := range names {
		name = strings.Trim(name, " ,")
		if !unitName.MatchString(name) || slices.Contains(p.units[verb], name) || p.named == MaxUnits {
			continue
		}
		if p.units == nil {
			p.units = map[string][]string{}
		}
		p.units[verb] = append(p.units[verb], name)
		p.named++
		p.seen = true
	}
}

// Set returns what was collected, or nil if that is nothing.
func (p *Parser) Set() *Set {
	if !p.seen {
		return nil
	}
	p.addPaths()
	if !p.compared {
		p.missing = cmp.Or(p.missing, "the host has not compared them")
	}
	s := &Set{Packages: p.packages, Counts: p.counts, More: p.more, Closure: p.closure, Missing: p.missing}
	for _, v := range verbs {
		if units := p.units[v.verb]; units != nil {
			s.Units = append(s.Units, Units{v.verb, units})
		}
	}
	return s
}

var runs = regexp.MustCompile(`[0-9]+|[A-Za-z]+`)

// older reports whether version a comes before version b. It compares numbers as numbers.
func older(a, b string) bool {
	as, bs := runs.FindAllString(a, -1), runs.FindAllString(b, -1)
	for i := range min(len(as), len(bs)) {
		x, errX := strconv.ParseUint(as[i], 10, 64)
		y, errY := strconv.ParseUint(bs[i], 10, 64)
		switch {
		case errX == nil && errY == nil && x != y:
			return x < y
		case (errX != nil || errY != nil) && as[i] != bs[i]:
			return as[i] < bs[i]
		}
	}
	return len(as) < len(bs)
}
