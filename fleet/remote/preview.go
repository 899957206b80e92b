package remote

import (
	"bytes"
	"cmp"
	"regexp"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/change"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// MaxPreview limits the output of a preview, in bytes.
const MaxPreview = 4 << 20

// PreviewRequest asks a host what a deploy would do there.
type PreviewRequest struct {
	Kind     string
	Checkout Checkout
	Branch   string
	Rev      string // "" is the commit of the checkout
	// see [Job]
	Ref, AllowedSigners string
	Attribute           string // what would be built; see [Attribute]. "" evaluates nothing
	Goal                string
	Specialisation      string // as in [Job]
	Build               bool   // build it, and compare it with what runs

	// Serves is the name of the host whose configuration the host that is asked would build, or "".
	// Runs is the commit that it runs, if that is known. What is built is not compared with it.
	Serves, Runs string

	OwnNames, OtherNames []string // as in [Job]
	Nix                  NixArgs
	RootBy               string // as in [Job]
	PullTimeout          time.Duration
	BuildTimeout         time.Duration
}

// Script returns the script that prints the preview. Its header is "planned", and [ParsePreview]
// parses what follows it.
func (r PreviewRequest) Script(token string) Script {
	return compose("preview").script(r.Checkout.values(r.Nix.values(values{
		"token":           {token},
		"kind":            {r.Kind},
		"branch":          {r.Branch},
		"rev":             {r.Rev},
		"ref":             {r.Ref},
		"allowed_signers": {r.AllowedSigners},
		"attribute":       {r.Attribute},
		"goal":            {r.Goal},
		"specialisation":  {r.Specialisation},
		"build":           {yesNo(r.Build)},
		"serves":          {r.Serves},
		"runs_there":      {r.Runs},
		"own_names":       {strings.Join(r.OwnNames, " ")},
		"other_names":     {strings.Join(r.OtherNames, " ")},
		"pull_seconds":    {seconds(r.PullTimeout)},
		"build_seconds":   {seconds(r.BuildTimeout)},
		"root_by":         {cmp.Or(r.RootBy, "auto")},
	})))
}

// Preview is what a deploy would do on a host.
type Preview struct {
	Head          string // the commit of the checkout
	Ahead, Behind int    // commits, as seen from the revision
	Commits       []Commit
	Code, Problem string      // what would keep a deploy from working; "" if nothing would
	Warnings      []string    // what a deploy would warn of
	Builds        []string    // derivations, as store paths
	Fetches       []string    // store paths
	Download      string      // the size of what is fetched, as Nix prints it: "34.5 MiB"
	From, Built   string      // the store paths of what runs, and of what was built and is to run
	Changes       *change.Set // nil if nothing was compared

	nixError string // the last that Nix printed
}

// Commit is a commit that the checkout lacks.
type Commit struct {
	Revision string    `json:"revision"`
	Subject  string    `json:"subject"`
	Author   string    `json:"author"`
	Time     time.Time `json:"time"`
}

// ParsePreview parses the output of a preview. It ignores lines that it does not know.
func ParsePreview(text []byte) Preview {
	var f Preview
	var changes change.Parser
	var list *[]string // the list that Nix's indented lines belong to
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
			f.problem(value)
		case "warning":
			code, fields, _ := strings.Cut(value, " ")
			f.Warnings = append(f.Warnings, clean.Line([]byte(notice(code, parseFields(fields)))))
		case "nix":
			list = f.dryRun(value, list)
		case "from":
			f.From = value
		case "built":
			f.Built = value
		case "units":
			changes.Output(value)
		default:
			changes.Fact(key, value)
		}
	}
	f.Changes = changes.Set()
	return f
}

// problem parses "CODE KEY=VALUE...".
func (f *Preview) problem(words string) {
	code, fields, _ := strings.Cut(words, " ")
	e := ending{code: code, fields: parseFields(fields)}
	e.classify()
	f.Code, f.Problem = e.code, cmp.Or(e.sentence(), e.code)
	switch {
	case e.code != "build":
	case IsUnlocked(f.nixError):
		e.code = "unlocked"
		f.Code, f.Problem = e.code, e.sentence()
	default:
		f.Problem = cmp.Or(f.nixError, f.Problem)
	}
}

func (f *Preview) commit(value string) {
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

// dryRun parses a line of nix build: with --dry-run, a heading or a path under the last one.
func (f *Preview) dryRun(line string, list *[]string) *[]string {
	path, indented := strings.CutPrefix(line, "  ")
	reason, failed := strings.CutPrefix(strings.TrimSpace(line), "error: ")
	switch {
	case failed && !isConsequence(reason):
		f.nixError = strings.TrimSuffix(strings.TrimSpace(reason), ";")
		return nil
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
		return nil // a warning, for example
	}
	return list
}
