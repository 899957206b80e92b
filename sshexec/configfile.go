package sshexec

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kevinburke/ssh_config"
)

// parsedConfig is the user's ssh_config(5) file, followed by the system's.
//
// unhandled is the first line that may affect which other lines apply in a way that this package
// does not understand; if it is set, `ssh -G` has to resolve every target. odd is the first line
// with a value that this package does not understand: ssh may reject the whole configuration for
// it, or know what the value means where the line applies.
type parsedConfig struct {
	files     []*configFile
	unhandled *unhandledSyntax
	odd       *unhandledSyntax
	stamps    []fileStamp

	algorithms     []string // the distinct lists of algorithms, as KEYWORD=LIST
	algorithmsFrom unhandledSyntax
}

// configFile is a file as a list of blocks. A block that can only match one of a few names, such as
// `Host web db`, is listed in byName under each of them and is only evaluated for those. Files may
// have ten thousand of them.
type configFile struct {
	id     int // distinguishes the files of a configuration
	blocks []configBlock
	byName map[string][]int
	others []int // all other blocks
}

// configBlock is a Host or Match line and what follows it, or what precedes the first such line.
type configBlock struct {
	patterns []string         // of a Host line
	host     *ssh_config.Host // the same, compiled; nil if ssh reads them differently
	criteria []string         // of a Match line
	match    bool             // it is a Match line
	lines    []directive
}

// directive is a keyword with its arguments.
type directive struct {
	keyword  string // in lower case
	args     []string
	file     string
	line     int // 0 means that file is not a file, but OriginTarget
	included []*configFile
	odd      string // why ssh has to interpret the value, or ""
}

// origin returns where the directive is, as FILE:LINE.
func (d *directive) origin() string {
	if d.line == 0 {
		return d.file
	}
	return d.file + ":" + strconv.Itoa(d.line)
}

// unhandledSyntax locates a construct that the parser does not handle.
type unhandledSyntax struct {
	file   string
	line   int // 0 means the whole file
	reason string
}

func (u *unhandledSyntax) String() string {
	if u.line == 0 {
		return fmt.Sprintf("%s: %s", u.file, u.reason)
	}
	return fmt.Sprintf("%s:%d: %s", u.file, u.line, u.reason)
}

// fileStamp identifies one version of a file or directory. Its size is -1 if the file cannot be
// read.
type fileStamp struct {
	path    string
	size    int64
	modTime time.Time
}

func newFileStamp(path string) fileStamp {
	info, err := os.Stat(path)
	if err != nil {
		return fileStamp{path: path, size: -1}
	}
	return fileStamp{path, info.Size(), info.ModTime()}
}

// unchanged reports whether no file has changed since it was parsed.
func (c *parsedConfig) unchanged() bool {
	changed := func(s fileStamp) bool { return newFileStamp(s.path) != s }
	return !slices.ContainsFunc(c.stamps, changed)
}

// configParser parses one file and the files it includes.
type configParser struct {
	home      string
	getenv    func(string) string
	dir       string // the base of relative Include paths
	isUser    bool   // the user's file or one that it includes, rather than the system's
	checkMode bool   // reject files that others can write to, as ssh does
	result    *parsedConfig
	ignored   *[]string // patterns of IgnoreUnknown
	depth     int
}

// maxIncludeDepth is OpenSSH's limit on nested Include directives (READCONF_MAX_DEPTH in
// readconf.c).
const maxIncludeDepth = 16

// errTooDeep is why a file is unhandled that includes itself.
const errTooDeep = "\"Include\" is nested too deeply"

func (p configParser) parseFile(path string) *configFile {
	file := &configFile{id: len(p.result.stamps), byName: make(map[string][]int)}
	p.result.stamps = append(p.result.stamps, newFileStamp(path))
	text, err := os.ReadFile(path)
	if err != nil {
		// ssh ignores the two files themselves if it cannot open them. It reads a directory as an
		// empty file.
		if p.depth > 0 && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EISDIR) {
			p.markUnhandled(path, 0, err.Error())
		}
		return file
	}
	if p.checkMode {
		if info, err := os.Stat(path); err == nil {
			if reason := unsafeOwnerOrMode(info); reason != "" {
				p.markUnhandled(path, 0, reason)
			}
		}
	}
	block := configBlock{}
	for i, line := range bytes.Split(text, []byte("\n")) {
		d, reason := p.parseLine(strings.Trim(string(line), " \t\r\f"))
		if reason != "" {
			p.markUnhandled(path, i+1, reason)
		}
		if p.tooDeep() {
			return file // or a file that includes itself twice would take 2^16 times as long
		}
		d.file, d.line = path, i+1
		if d.odd != "" && p.result.odd == nil {
			p.result.odd = &unhandledSyntax{path, i + 1, d.odd}
		}
		if reason == "" && d.odd == "" && slices.Contains(algorithmKeywords, d.keyword) {
			p.result.addAlgorithms(path, i+1, d.keyword+"="+d.args[0])
		}
		switch d.keyword {
		case "":
		case "host":
			file.addBlock(block)
			block = configBlock{patterns: d.args, host: compileHost(d.args)}
		case "match":
			file.addBlock(block)
			block = configBlock{match: true, criteria: d.args}
		default:
			block.lines = append(block.lines, d)
		}
	}
	file.addBlock(block)
	return file
}

// unsafeOwnerOrMode returns why ssh refuses to read a configuration file, or ""
// (read_config_file_depth in readconf.c).
func unsafeOwnerOrMode(info fs.FileInfo) string {
	if info.Mode().Perm()&0o022 != 0 {
		return "others can write to it"
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && int(stat.Uid) != os.Getuid() {
		return "it belongs to another user"
	}
	return ""
}

// compileHost compiles the patterns of a Host line. It returns nil if the library would match them
// differently than ssh: its ? also matches nothing.
func compileHost(patterns []string) *ssh_config.Host {
	var host ssh_config.Host
	for _, text := range patterns {
		if strings.Contains(text, "?") {
			return nil
		}
		pattern, err := ssh_config.NewPattern(text)
		if err != nil {
			return nil
		}
		host.Patterns = append(host.Patterns, pattern)
	}
	return &host
}

// matchesHost reports whether the block of a Host line applies to a name.
func (b *configBlock) matchesHost(name string) bool {
	if b.host != nil {
		return b.host.Matches(name)
	}
	return matchPatternList(b.patterns, name)
}

// addBlock adds the next block and indexes it.
func (f *configFile) addBlock(b configBlock) {
	n := len(f.blocks)
	f.blocks = append(f.blocks, b)
	hasWildcard := func(pattern string) bool { return strings.ContainsAny(pattern, "*?!") }
	// The files that an inactive block includes may contain Match lines, which can request a second
	// pass.
	includes := func(d directive) bool { return d.included != nil }
	if len(b.patterns) == 0 || slices.ContainsFunc(b.patterns, hasWildcard) || slices.ContainsFunc(b.lines, includes) {
		f.others = append(f.others, n)
		return
	}
	for _, name := range b.patterns {
		if named := f.byName[name]; len(named) == 0 || named[len(named)-1] != n {
			f.byName[name] = append(named, n)
		}
	}
}

// candidates returns the blocks that may match a name, in file order.
func (f *configFile) candidates(name string) []int {
	named := f.byName[name]
	if len(named) == 0 {
		return f.others
	}
	return slices.Sorted(slices.Values(slices.Concat(named, f.others)))
}

// addAlgorithms records a list of algorithms. ssh has to validate it, even in a block that does not
// apply.
func (c *parsedConfig) addAlgorithms(path string, line int, list string) {
	if c.algorithms == nil {
		c.algorithmsFrom = unhandledSyntax{path, line, "lists of algorithms depend on the version of ssh"}
	}
	if !slices.Contains(c.algorithms, list) {
		c.algorithms = append(c.algorithms, list)
	}
}

// markUnhandled records the first construct that only ssh itself can read.
func (p configParser) markUnhandled(path string, line int, reason string) {
	if p.result.unhandled == nil || reason == errTooDeep {
		p.result.unhandled = &unhandledSyntax{path, line, reason}
	}
}

func (p configParser) tooDeep() bool {
	return p.result.unhandled != nil && p.result.unhandled.reason == errTooDeep
}

// parseLine parses a line without surrounding space. reason is not empty if the parser does not
// understand the line. It follows process_config_line_depth in readconf.c.
func (p configParser) parseLine(line string) (d directive, reason string) {
	if line == "" || line[0] == '#' {
		return d, ""
	}
	special := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	if strings.ContainsFunc(line, special) {
		return d, fmt.Sprintf("%q has control characters", line)
	}
	end := strings.IndexAny(line, " \t=")
	if end <= 0 || strings.Contains(line[:end], `"`) {
		return d, fmt.Sprintf("%q has no value", line)
	}
	name := strings.ToLower(line[:end])
	d.keyword = cmp.Or(keywordAliases[name], name)
	rest := strings.TrimLeft(line[end:], " \t")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
	args, ok := splitArgs(rest)
	if !ok || len(args) == 0 || strings.HasPrefix(rest, "=") {
		return d, fmt.Sprintf("%q has no value, or quotes that do not match", line)
	}
	d.args = args
	switch k := lookupKeyword(d.keyword); {
	case k == nil:
		if matchPatternList(*p.ignored, d.keyword) {
			d.keyword = ""
			return d, ""
		}
		d.keyword, d.odd = "", fmt.Sprintf("keyword %q", name)
		return d, ""
	case d.keyword == "host":
		if slices.Contains(args, "") {
			return d, "\"Host\" has an empty pattern"
		}
		return d, ""
	case d.keyword == "match":
		return d, checkCriteria(rest, args)
	case d.keyword == "include":
		return p.parseInclude(d)
	case slices.Contains(commandKeywords, d.keyword):
		d.args = []string{rest} // extends to the end of the line, quotes and comments included
		fallthrough
	default:
		if !k.valid(d.args) || d.keyword == "identityagent" && !p.isExpandable(d.args[0]) {
			d.odd = fmt.Sprintf("value %q of %q", strings.Join(d.args, " "), name)
			return d, ""
		}
	}
	if d.keyword == "ignoreunknown" && len(*p.ignored) == 0 {
		*p.ignored = strings.Split(strings.ToLower(d.args[0]), ",")
	}
	return d, ""
}

// isExpandable reports whether the environment variables in a value are set. In an IdentityAgent,
// ssh requires that even if the line does not apply.
func (p configParser) isExpandable(text string) bool {
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return true
		}
		name, rest, found := strings.Cut(rest, "}")
		if !found || p.getenv(name) == "" {
			return false
		}
		text = rest
	}
}

// commandKeywords take the rest of the line as their value.
var commandKeywords = []string{
	"proxycommand", "proxyjump", "localcommand", "remotecommand", "knownhostscommand", "versionaddendum",
}

// splitArgs splits the arguments of a keyword. It reports false if a quote is not closed. It
// follows argv_split in misc.c.
func splitArgs(text string) (args []string, ok bool) {
	if !strings.ContainsAny(text, "\"'\\#") {
		return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' }), true
	}
	for i := 0; i < len(text); i++ {
		if text[i] == ' ' || text[i] == '\t' {
			continue
		}
		if text[i] == '#' {
			break
		}
		var (
			arg   strings.Builder
			quote byte
		)
	word:
		for ; i < len(text); i++ {
			switch c := text[i]; {
			case c == '\\' && i+1 < len(text) && (strings.IndexByte(`'"\`, text[i+1]) >= 0 || quote == 0 && text[i+1] == ' '):
				i++
				arg.WriteByte(text[i])
			case quote == 0 && (c == ' ' || c == '\t'):
				break word
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			case quote != 0 && c == quote:
				quote = 0
			default:
				arg.WriteByte(c)
			}
		}
		if quote != 0 {
			return nil, false
		}
		args = append(args, arg.String())
	}
	return args, true
}

func (p configParser) parseInclude(d directive) (directive, string) {
	if p.depth >= maxIncludeDepth {
		return d, errTooDeep
	}
	p.depth++
	p.checkMode = true
	d.included = []*configFile{}
	for _, pattern := range d.args {
		if pattern == "" || strings.ContainsAny(pattern, "[\\%$") {
			return d, fmt.Sprintf("the path %q contains [, \\, %% or $", pattern)
		}
		if pattern[0] == '~' && !p.isUser {
			return d, fmt.Sprintf("the path %q starts with ~", pattern)
		}
		pattern = expandTilde(pattern, p.home)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(p.dir, pattern)
		}
		if strings.ContainsAny(pattern, "*?") {
			p.result.stamps = append(p.result.stamps, newFileStamp(filepath.Dir(pattern)))
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return d, err.Error()
		}
		if paths == nil {
			p.result.stamps = append(p.result.stamps, newFileStamp(pattern))
		}
		for _, path := range paths {
			if !matchesHiddenFile(pattern, path) {
				d.included = append(d.included, p.parseFile(path))
			}
		}
	}
	return d, ""
}

// matchesHiddenFile reports whether a wildcard at the start of a component matched a leading dot,
// which it does in filepath.Glob, but not in glob(3).
func matchesHiddenFile(pattern, path string) bool {
	patterns, names := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i := range min(len(patterns), len(names)) {
		if strings.HasPrefix(names[i], ".") && (strings.HasPrefix(patterns[i], "*") || strings.HasPrefix(patterns[i], "?")) {
			return true
		}
	}
	return false
}
