package remote

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// MaxForeseen bounds what a host may answer to a [Forecast].
const MaxForeseen = 4 << 20

// Forecast asks a host what a deploy would do there.
type Forecast struct {
	Kind      string
	Checkout  Checkout
	Branch    string
	Rev       string // "" is where the checkout is
	Attribute string // what of the flake would be built; "" where that is not ours to say
	Build     bool   // build it, and tell the difference
	Pull      time.Duration
	BuildTime time.Duration
}

// Script answers with the header "planned"; [ParseForeseen] reads what comes after it.
func (f Forecast) Script(token string) Script {
	return Script{
		Text: script("env", "home", "preflight", "pull", "plan") + run,
		Args: append([]string{
			"token=" + token, "kind=" + f.Kind, "branch=" + f.Branch, "rev=" + f.Rev, "attribute=" + f.Attribute, "build=" + yes(f.Build),
			"pull_seconds=" + seconds(f.Pull), "build_seconds=" + seconds(f.BuildTime),
		}, f.Checkout.args()...),
	}
}

// Foreseen is what a host answers to a [Forecast].
type Foreseen struct {
	Head          string // where the checkout is
	Ahead, Behind int    // commits, seen from the revision
	Commits       []Commit
	Code, Problem string   // what would keep a deploy from going on; "" where nothing would
	Builds        []string // derivations, as store paths
	Fetches       []string // store paths
	Download      string   // of what is fetched, in Nix's words: "34.5 MiB"
	From, Built   string   // the store paths of what runs, and of what was built
	Changes       []Change
	Units         []UnitChange
}

// Commit is one that is to come, the newest first.
type Commit struct {
	Revision string    `json:"revision"`
	Subject  string    `json:"subject"`
	Author   string    `json:"author"`
	Time     time.Time `json:"time"`
}

// Change is a package of which a closure has another version than the one before, or a size that differs.
type Change struct {
	Package string `json:"package"`
	Before  string `json:"before,omitempty"` // "" was not there, or has no version
	After   string `json:"after,omitempty"`  // "" is not there, or has no version
	Word    string `json:"change"`           // up, down, new, gone or size
	Size    string `json:"size,omitempty"`   // "+1.2 MiB"
}

// UnitChange is what the activation would do to some units.
type UnitChange struct {
	Verb  string   `json:"verb"` // stop, reload, restart or start
	Units []string `json:"units"`
}

// ParseForeseen reads the answer to a [Forecast].
func ParseForeseen(text []byte) Foreseen {
	var f Foreseen
	var list *[]string // what Nix's indented lines belong to
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(clean.Line(line), " ")
		switch key {
		case "head":
			f.Head = value
		case "standing":
			ahead, behind, _ := strings.Cut(value, " ")
			f.Ahead, f.Behind = int(natural(ahead)), int(natural(behind))
		case "commit":
			f.commit(value)
		case "author":
			if n := len(f.Commits); n > 0 {
				f.Commits[n-1].Author = value
			}
		case "problem":
			f.Code, f.Problem, _ = strings.Cut(value, " ")
		case "nix":
			list = f.dryRun(value, list)
		case "from":
			f.From = value
		case "built":
			f.Built = value
		case "difference":
			if c, ok := change(value); ok {
				f.Changes = append(f.Changes, c)
			}
		case "units":
			f.units(value)
		}
	}
	return f
}

func (f *Foreseen) commit(value string) {
	fields := strings.SplitN(value, " ", 3)
	if len(fields) != 3 {
		return
	}
	c := Commit{Revision: fields[0], Subject: fields[2]}
	if t := instant(fields[1]); t != nil {
		c.Time = *t
	}
	f.Commits = append(f.Commits, c)
}

var download = regexp.MustCompile(`\(([0-9.]+ .iB) download`)

// dryRun reads a line of nix build --dry-run: a heading, or a path under the last one.
func (f *Foreseen) dryRun(line string, list *[]string) *[]string {
	path, indented := strings.CutPrefix(line, "  ")
	switch {
	case indented && list != nil:
		*list = append(*list, path)
	case strings.Contains(line, "will be built"):
		return &f.Builds
	case strings.Contains(line, "will be fetched"):
		if size := download.FindStringSubmatch(line); size != nil {
			f.Download = size[1]
		}
		return &f.Fetches
	default:
		return nil // a warning, or what else there is to say
	}
	return list
}

var sizeChange = regexp.MustCompile(`(?:^|, )([+-][0-9.]+ [KMGT]iB)$`)

// change reads a line of nix store diff-closures: "NAME: BEFORE → AFTER, SIZE", of which either half may be missing. ∅ is a package that
// is not there, ε one without a version.
func change(line string) (c Change, ok bool) {
	name, rest, ok := strings.Cut(line, ": ")
	if !ok || strings.Contains(name, " ") {
		return c, false
	}
	c = Change{Package: name, Word: "size"}
	if at := sizeChange.FindStringSubmatchIndex(rest); at != nil {
		c.Size, rest = rest[at[2]:at[3]], rest[:at[0]]
	}
	before, after, versions := strings.Cut(rest, " → ")
	if !versions {
		return c, c.Size != ""
	}
	c.Before, c.After = strings.Trim(before, "∅ε"), strings.Trim(after, "∅ε")
	switch {
	case before == "∅":
		c.Word = "new"
	case after == "∅":
		c.Word = "gone"
	case older(c.After, c.Before):
		c.Word = "down"
	default:
		c.Word = "up"
	}
	return c, true
}

var runs = regexp.MustCompile(`[0-9]+|[A-Za-z]+`)

// older tells whether version a comes before b: number by number, as far as there are numbers.
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

var unitChange = regexp.MustCompile(`^would (stop|reload|restart|start) the following (?:new )?units: (.+)$`)

func (f *Foreseen) units(line string) {
	if found := unitChange.FindStringSubmatch(line); found != nil {
		f.Units = append(f.Units, UnitChange{Verb: found[1], Units: strings.Split(found[2], ", ")})
	}
}
