package arch

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// docFacts are the names that documentation may use.
type docFacts struct {
	// flags of each command, such as "history compare". The command "" is fleetctl itself.
	flags map[string][]string
	// keys of the inventory and of config.toml.
	keys []string
	// codes of results.
	codes []string
	// fields of events, such as "result.code".
	fields []string
	// options of the Nix modules.
	options []string
	// tests, including fuzz tests.
	tests []string
	// messages match the texts that the program can print.
	messages []*regexp.Regexp
	// exists reports whether a path of the repository exists.
	exists func(path string) bool
	// anchors returns those of a page's headings.
	anchors func(path string) []string
}

// configKeys are the keys of config.toml outside of its tables.
var configKeys = []string{"theme", "refresh", "columns", "mouse", "reduced_motion", "notifications", "keys", "commands", "filters"}

// problems returns what a page says that is not so.
func (f *docFacts) problems(page, text string) []string {
	var found []string
	report := func(format string, args ...any) { found = append(found, page+": "+fmt.Sprintf(format, args...)) }
	code, prose := splitCode(text)
	for _, match := range docLink.FindAllStringSubmatch(prose, -1) {
		f.checkLink(page, match[1], report)
	}
	for _, match := range docCodes.FindAllStringSubmatch(text, -1) {
		for _, span := range codeSpan.FindAllStringSubmatch(match[1], -1) {
			if !slices.Contains(f.codes, span[1]) {
				report("there is no result code %s", span[1])
			}
		}
	}
	for _, span := range codeSpan.FindAllStringSubmatch(prose, -1) {
		f.checkCommand(span[1], report)
		if key := docKey.FindStringSubmatch(span[1]); key != nil && !strings.HasSuffix(page, "nix.md") && !slices.Contains(f.keys, key[1]) {
			report("there is no key %s", key[1])
		}
		switch text := span[1]; {
		case docField.MatchString(text) && !slices.Contains(f.fields, text):
			report("there is no field %s in events", text)
		case docOption.MatchString(text) && !slices.ContainsFunc(f.options, func(option string) bool {
			return option == text || strings.HasPrefix(option, text+".")
		}):
			report("there is no option %s", text)
		case docTest.MatchString(text) && !slices.Contains(f.tests, text):
			report("there is no test %s", text)
		}
		if repositoryPath.MatchString(span[1]) && !f.exists(span[1]) {
			report("there is no file %s", span[1])
		}
	}
	// The other tables of that page have fields with a prefix, facts, or what a report has.
	if _, common, ok := strings.Cut(prose, "## Common fields\n"); ok {
		common, _, _ = strings.Cut(common, "\n## ")
		for _, row := range fieldRow.FindAllStringSubmatch(common, -1) {
			for _, span := range codeSpan.FindAllStringSubmatch(row[1], -1) {
				if !slices.Contains(f.fields, span[1]) {
					report("there is no field %s in events", span[1])
				}
			}
		}
	}
	for _, block := range code {
		f.checkBlock(page, block, report)
	}
	return found
}

type reportFunc func(format string, args ...any)

// checkLink checks the target of a relative link, and its heading if it names one.
func (f *docFacts) checkLink(page, target string, report reportFunc) {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return
	}
	file, anchor, _ := strings.Cut(target, "#")
	path := page
	if file != "" {
		path = filepath.Join(filepath.Dir(page), file)
	}
	switch {
	case !f.exists(path):
		report("the link %s leads nowhere", target)
	case anchor != "" && !slices.Contains(f.anchors(path), anchor):
		report("the link %s names no heading", target)
	}
}

// checkBlock checks a block of code by its language.
func (f *docFacts) checkBlock(page string, block codeBlock, report reportFunc) {
	switch block.language {
	case "toml":
		_, findings := inventory.Parse(page, []byte(block.text))
		for _, finding := range findings {
			if strings.HasPrefix(finding.Message, "unknown ") && !slices.ContainsFunc(configKeys, func(key string) bool {
				return strings.Contains(finding.Message, strconv.Quote(key))
			}) {
				report("%s", finding.Message)
			}
		}
	case "message":
		for line := range strings.Lines(block.text) {
			if line = strings.TrimSpace(line); line != "" && !slices.ContainsFunc(f.messages, func(m *regexp.Regexp) bool { return m.MatchString(line) }) {
				report("fleetctl does not print %q", line)
			}
		}
	case "", "sh", "console", "yaml":
		for line := range strings.Lines(block.text) {
			f.checkCommand(line, report)
		}
	}
}

// checkCommand checks the commands and flags of the calls of fleetctl in a line of shell.
func (f *docFacts) checkCommand(line string, report reportFunc) {
	for _, match := range docCall.FindAllStringSubmatch(line, -1) {
		f.checkArguments(strings.Fields(endOfCall.Split(match[1], 2)[0]), report)
	}
}

func (f *docFacts) checkArguments(words []string, report reportFunc) {
	command := ""
	for len(words) > 0 && docCommand.MatchString(words[0]) {
		longer := strings.TrimSpace(command + " " + words[0])
		if _, ok := f.flags[longer]; !ok {
			if command == "" {
				report("there is no command fleetctl %s", words[0])
				return
			}
			break
		}
		command, words = longer, words[1:]
	}
	for i, word := range words {
		if word == "--" {
			if command == "demo" {
				f.checkArguments(words[i+1:], report)
			}
			return
		}
		name, _, _ := strings.Cut(strings.Trim(word, "'\"[],."), "=")
		if name == "--" { // in a usage line
			return
		}
		if strings.HasPrefix(name, "--") && !slices.Contains(f.flags[command], name) && !slices.Contains([]string{"--inventory", "--help", "--version"}, name) {
			report("fleetctl %s has no flag %s", command, name)
		}
	}
}

var (
	docLink  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	docCodes = regexp.MustCompile("(?i)\\bcodes? ((?:`[a-z-]+`(?:, | or | and )?)+)")
	docKey   = regexp.MustCompile(`^([a-z_]+) = `)
	docField = regexp.MustCompile(`^(?:start|progress|result|summary)\.[a-z_]+$`)
	// docOption leaves out settings, whose names are those of the inventory, and units.
	docOption = regexp.MustCompile(`^(?:services\.fleetctl-agent|programs\.fleetctl)\.[a-zA-Z.]+$`)
	docTest   = regexp.MustCompile(`^(?:Test|Fuzz)[A-Z]\w*$`)
	// fieldRow matches the first cell of a row that starts with a name.
	fieldRow = regexp.MustCompile("(?m)^\\| ((?:`[a-z_.]+`(?:, )?)+) \\|")
	docCall  = regexp.MustCompile(`(?:(?:^|[\s(;&|"'/])fleetctl|go run \.)\s+([^\n]*)`)
	// docCommand matches what can only be a command: values in the documentation are selectors,
	// placeholders or file names.
	docCommand     = regexp.MustCompile(`^[a-z]+$`)
	endOfCall      = regexp.MustCompile(`\s#|[|;>&)"` + "`" + `]`)
	repositoryPath = regexp.MustCompile(`^(?:docs|fleet|cli|tui|sshexec|agent|nix|internal|testdata|packaging|action|\.ci|\.github)/[\w./-]*\w$`)
)

// A codeBlock is a fenced or indented block of a page. Its language is that of the fence.
type codeBlock struct{ language, text string }

// splitCode separates the blocks of code of a page from its prose.
func splitCode(text string) (blocks []codeBlock, prose string) {
	var out strings.Builder
	var fenced *codeBlock
	blank, indented := true, false
	for line := range strings.Lines(text) {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && fenced == nil:
			blocks = append(blocks, codeBlock{language: strings.TrimSpace(fence)})
			fenced = &blocks[len(blocks)-1]
		case isFence:
			fenced = nil
		case fenced != nil:
			fenced.text += line
		case strings.HasPrefix(line, "    ") && (blank || indented):
			if !indented {
				blocks = append(blocks, codeBlock{})
			}
			blocks[len(blocks)-1].text += strings.TrimPrefix(line, "    ")
			indented = true
			continue
		default:
			out.WriteString(line)
		}
		indented, blank = false, strings.TrimSpace(line) == ""
	}
	return blocks, out.String()
}

// readFacts reads the names from the program and the tree.
func readFacts(t *testing.T) *docFacts {
	t.Helper()
	f := &docFacts{flags: manualFlags(read(t, "docs/man/fleetctl.1")), keys: configKeys, messages: messages(t)}
	for _, match := range regexp.MustCompile(`"([a-z_]+)":`).FindAllStringSubmatch(string(inventory.Schema()), -1) {
		f.keys = append(f.keys, match[1])
	}
	for _, info := range fleet.Codes {
		f.codes = append(f.codes, string(info.Code))
	}
	var events eventNode
	if err := json.Unmarshal(fleet.EventSchema(), &events); err != nil {
		t.Fatal(err)
	}
	f.fields = events.paths("")
	for _, match := range regexp.MustCompile("(?m)^### `(.*)`$").FindAllStringSubmatch(read(t, "docs/options.md"), -1) {
		f.options = append(f.options, match[1])
	}
	for _, names := range testsByPackage(t) {
		f.tests = append(f.tests, names...)
	}
	if len(f.fields) < 20 || len(f.options) < 20 {
		t.Fatalf("found only the fields %q and the options %q", f.fields, f.options)
	}
	f.exists = func(path string) bool {
		_, err := os.Stat(filepath.Join(root, path))
		return err == nil
	}
	f.anchors = func(path string) []string { return headings(read(t, path)) }
	return f
}

// An eventNode is a part of the schema of events.
type eventNode struct {
	Properties map[string]eventNode
	Items      *eventNode
}

// paths returns the fields of the node and of the nodes in it.
func (n eventNode) paths(prefix string) (found []string) {
	for name, inner := range n.Properties {
		found = append(append(found, prefix+name), inner.paths(prefix+name+".")...)
	}
	return found
}

// manualFlags returns the flags of each command in the manual page, which .ci/run compares with the
// program.
func manualFlags(page string) map[string][]string {
	page = strings.ReplaceAll(page, `\-`, "-")
	flags := map[string][]string{"": nil, "completion": nil, "help": nil}
	command := ""
	heading := regexp.MustCompile(`^\.S[SH] (fleetctl)?((?: [a-z]+)*)`)
	flag := regexp.MustCompile(`^(?:\\fB-\w\\fR, )?\\fB(--[a-z-]+)\\fR`)
	for line := range strings.Lines(page) {
		if m := heading.FindStringSubmatch(line); m != nil {
			command = strings.TrimSpace(m[2])
			flags[command] = nil
			if parent, _, ok := strings.Cut(command, " "); ok && flags[parent] == nil {
				flags[parent] = nil
			}
		} else if m := flag.FindStringSubmatch(line); m != nil {
			flags[command] = append(flags[command], m[1])
		}
	}
	flags[""] = append(flags[""], flags["table"]...)
	return flags
}

// messages returns a pattern for each string in the program that is long enough to be a sentence.
// Verbs of fmt match any text.
func messages(t *testing.T) []*regexp.Regexp {
	t.Helper()
	verb := regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)
	var patterns []*regexp.Regexp
	for _, dir := range []string{"cli", "fleet", "sshexec"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil || strings.Contains(text, "\n") || len(verb.ReplaceAllString(text, "")) < 15 {
					return true
				}
				parts := verb.Split(text, -1)
				for i := range parts {
					parts[i] = regexp.QuoteMeta(parts[i])
				}
				patterns = append(patterns, regexp.MustCompile(strings.Join(parts, ".*")))
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return patterns
}

// headings returns the anchors that GitHub makes of a page's headings.
func headings(text string) []string {
	var anchors []string
	_, prose := splitCode(text)
	for line := range strings.Lines(prose) {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		title = strings.ToLower(strings.TrimSpace(title))
		title = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(title, "")
		anchors = append(anchors, strings.ReplaceAll(title, " ", "-"))
	}
	return anchors
}

// pages returns the documentation, relative to the root.
func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "packaging/README.md", "nix/template/README.md"}
	docs, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range docs {
		names = append(names, "docs/"+filepath.Base(path))
	}
	return names
}

func TestDocumentationNamesWhatExists(t *testing.T) {
	facts := readFacts(t)
	for _, page := range pages(t) {
		for _, problem := range facts.problems(page, read(t, page)) {
			t.Error(problem)
		}
	}
}

func TestWrongDocumentationIsFound(t *testing.T) {
	facts := readFacts(t)
	for wrong, want := range map[string]string{
		"See [this](nowhere.md).":                                      "the link nowhere.md leads nowhere",
		"See [this](inventory.md#no-such-thing).":                      "the link inventory.md#no-such-thing names no heading",
		"Run `fleetctl deplyo web`.":                                   "there is no command fleetctl deplyo",
		"Run:\n\n    fleetctl deploy --all --canry 1 # first one\n":    "fleetctl deploy has no flag --canry",
		"```sh\nfleetctl demo -- plan --all --built\n```\n":            "fleetctl plan has no flag --built",
		"```toml\n[hosts.web]\nknid = \"nixos\"\n```\n":                `unknown key "knid" in host "web"`,
		"Set `repo_mod = \"managed\"`.":                                "there is no key repo_mod",
		"The code `no-suod` means":                                     "there is no result code no-suod",
		"The field `result.reson` has it.":                             "there is no field result.reson in events",
		"Set `services.fleetctl-agent.limits.conections`.":             "there is no option services.fleetctl-agent.limits.conections",
		"`TestDeplyoWorks` shows it.":                                  "there is no test TestDeplyoWorks",
		"It is decided in `fleet/engine/polizy.go`.":                   "there is no file fleet/engine/polizy.go",
		"```message\nthere is no vim on the host\n```\n":               `fleetctl does not print "there is no vim on the host"`,
		"```message\ncannot resolve \"web\": no such host at all\n```": "",
	} {
		got := facts.problems("docs/page.md", wrong)
		if want == "" && len(got) > 0 || want != "" && !slices.Contains(got, "docs/page.md: "+want) {
			t.Errorf("%q: got %q, want %q", wrong, got, want)
		}
	}
	for row, want := range map[string][]string{
		"| `run` | the ID |":               nil,
		"| `start.goal`, `step` | what |":  nil,
		"| `start.gaol` | what |":          {"docs/events.md: there is no field start.gaol in events"},
		"| `seq`, `sequence` | a number |": {"docs/events.md: there is no field sequence in events"},
	} {
		if got := facts.problems("docs/events.md", "## Common fields\n\n"+row); !slices.Contains(want, strings.Join(slices.Compact(got), "; ")) && (want != nil || got != nil) {
			t.Errorf("%q: got %q, want %q", row, got, want)
		}
	}
	right := "Run `fleetctl deploy --all --canary 1` or `fleetctl history compare`: [inventory](inventory.md#fleet).\n" +
		"The codes `no-sudo` and `disk`; set `offline = \"skip\"`; see `fleet/codes.go`.\n\n    fleetctl exec @server -- ls --all\n"
	if got := facts.problems("docs/page.md", right); got != nil {
		t.Errorf("a correct page has problems: %q", got)
	}
}

// demoBlock matches a block that the demo can run: "```console demo", then lines "$ fleetctl ...",
// each followed by lines of its output. "..." in an output line stands for any text, and a line
// "..." for any lines. The exit status is 0 unless the fence says otherwise.
var demoBlock = regexp.MustCompile("(?ms)^```console demo(?: exits ([0-9]+))?\n(.*?)^```$")

// A demoCall is a call of fleetctl in a demoBlock, with patterns of lines that it must print.
type demoCall struct {
	args   []string
	status int
	output []*regexp.Regexp
}

// demoCalls returns the calls in a page.
func demoCalls(text string) []demoCall {
	var calls []demoCall
	for _, block := range demoBlock.FindAllStringSubmatch(text, -1) {
		status, _ := strconv.Atoi(block[1])
		for line := range strings.Lines(block[2]) {
			line = strings.TrimRight(line, " \n")
			if args, ok := strings.CutPrefix(line, "$ fleetctl "); ok {
				calls = append(calls, demoCall{args: strings.Fields(args), status: status})
			} else if line != "" && line != "..." && len(calls) > 0 {
				last := &calls[len(calls)-1]
				pattern := strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, ".*")
				last.output = append(last.output, regexp.MustCompile(`(?m)^`+regexp.MustCompile(` +`).ReplaceAllString(pattern, ` +`)+` *$`))
			}
		}
	}
	return calls
}

// run runs the call with a program, and returns the differences from what it documents.
func (c demoCall) run(program string, before ...string) []string {
	cmd := exec.Command(program, append(before, c.args...)...) //nolint:noctx // the demo ends itself
	out, err := cmd.CombinedOutput()
	var found []string
	if status := cmd.ProcessState.ExitCode(); status != c.status {
		found = append(found, fmt.Sprintf("fleetctl %s exits with %d, not %d: %v\n%s", strings.Join(c.args, " "), status, c.status, err, out))
	}
	rest := string(out)
	for _, line := range c.output {
		at := line.FindStringIndex(rest)
		if at == nil {
			found = append(found, fmt.Sprintf("fleetctl %s does not print %s, but\n%s", strings.Join(c.args, " "), line, rest))
			continue
		}
		rest = rest[at[1]:]
	}
	return found
}

// TestRunnableDocumentationRuns runs the blocks that are marked as runnable against the demo, one
// fleet for each page.
func TestRunnableDocumentationRuns(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "fleetctl")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/fleetctl")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	total := 0
	for _, page := range pages(t) {
		calls := demoCalls(read(t, page))
		total += len(calls)
		if calls == nil {
			continue
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, call := range calls {
				for _, problem := range call.run(program, "demo", "--dir", dir, "--tick", "0", "--") {
					t.Error(problem)
				}
			}
		})
	}
	if total < 5 {
		t.Errorf("only %d calls are marked as runnable", total)
	}
}

func TestWrongRunnableDocumentationIsFound(t *testing.T) {
	for block, want := range map[string]int{
		"```console demo\n$ fleetctl hello\nhello\n```":            0,
		"```console demo\n$ fleetctl hello\nhe...o\n```":           0,
		"```console demo\n$ fleetctl hello\ngood bye\n```":         1,
		"```console demo exits 3\n$ fleetctl hello\ngood bye\n```": 2,
	} {
		calls := demoCalls(block + "\n")
		if len(calls) != 1 {
			t.Fatalf("%q has %d calls", block, len(calls))
		}
		if found := calls[0].run("echo"); len(found) != want {
			t.Errorf("%q: %q, want %d problems", block, found, want)
		}
	}
}
