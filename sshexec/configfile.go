package sshexec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kevinburke/ssh_config"
)

// parsedConfig is the result of parsing ssh_config(5) files. The parser handles a plain subset of
// the language, which covers most configurations. unhandled is the first construct outside that
// subset; if it is set, directives must not be used and `ssh -G` has to read the files instead.
type parsedConfig struct {
	directives []directive
	unhandled  *unhandledSyntax
	stamps     []fileStamp
}

// directive is one line of a configuration file: a Host line, an Include line, or a keyword with
// its arguments.
type directive struct {
	host     *ssh_config.Host // only its patterns
	keyword  string           // in lower case
	args     []string
	included [][]directive // one element per file, because a Host block ends with its file
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
	dir       string // the base of relative Include paths
	checkMode bool   // reject files that others can write to, as ssh does
	result    *parsedConfig
	depth     int
}

// maxIncludeDepth is OpenSSH's limit on nested Include directives (READCONF_MAX_DEPTH in
// readconf.c).
const maxIncludeDepth = 16

func (p configParser) parseFile(path string) []directive {
	p.result.stamps = append(p.result.stamps, newFileStamp(path))
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		p.markUnhandled(path, 0, err.Error())
		return nil
	}
	if info, err := os.Stat(path); p.checkMode && err == nil && info.Mode().Perm()&0o022 != 0 {
		p.markUnhandled(path, 0, "others can write to it")
	}
	var directives []directive
	for i, line := range bytes.Split(text, []byte("\n")) {
		d, reason := p.parseLine(strings.Trim(string(line), " \t\r\f"))
		if reason != "" {
			p.markUnhandled(path, i+1, reason)
		}
		if d.keyword != "" {
			directives = append(directives, d)
		}
	}
	return directives
}

// markUnhandled records the first construct that only ssh itself can read.
func (p configParser) markUnhandled(path string, line int, reason string) {
	if p.result.unhandled == nil {
		p.result.unhandled = &unhandledSyntax{path, line, reason}
	}
}

// parseLine parses a line without surrounding space. reason is not empty if the line is outside the
// plain subset.
func (p configParser) parseLine(line string) (d directive, reason string) {
	if line == "" || line[0] == '#' {
		return d, ""
	}
	end := strings.IndexAny(line, " \t=")
	if end <= 0 {
		return d, fmt.Sprintf("%q has no value", line)
	}
	d.keyword = strings.ToLower(line[:end])
	rest := strings.TrimLeft(line[end:], " \t")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
	if d.keyword == "proxycommand" { // extends to the end of the line, quotes and comments included
		d.args = []string{rest}
		return d, unhandledReason(d.keyword, d.args)
	}
	special := func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }
	if strings.ContainsAny(rest, "\"'\\#") || strings.ContainsFunc(rest, special) {
		return d, fmt.Sprintf("%q has quotes, escapes, comments or special characters", rest)
	}
	d.args = strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(d.args) == 0 || d.args[0][0] == '=' {
		return d, fmt.Sprintf("%q has no value", line)
	}
	switch d.keyword {
	case "host":
		return p.parseHost(d)
	case "match":
		if len(d.args) == 1 && strings.EqualFold(d.args[0], "all") {
			d.args = []string{"*"}
			return p.parseHost(d)
		}
		d.host = &ssh_config.Host{}
		return d, "\"Match\" has conditions"
	case "include":
		return p.parseInclude(d)
	}
	return d, unhandledReason(d.keyword, d.args)
}

// parseHost parses the patterns of a Host line. Patterns with ? are unhandled, because the library
// lets ? match the empty string, too.
func (p configParser) parseHost(d directive) (directive, string) {
	d.host = &ssh_config.Host{}
	for _, word := range d.args {
		if strings.Contains(word, "?") {
			return d, fmt.Sprintf("the pattern %q contains ?", word)
		}
		pattern, err := ssh_config.NewPattern(word)
		if err != nil {
			return d, err.Error()
		}
		d.host.Patterns = append(d.host.Patterns, pattern)
	}
	return d, ""
}

func (p configParser) parseInclude(d directive) (directive, string) {
	if p.depth >= maxIncludeDepth {
		return d, "\"Include\" is nested too deeply"
	}
	p.depth++
	d.included = [][]directive{}
	for _, pattern := range d.args {
		if strings.ContainsAny(pattern, "[%$") {
			return d, fmt.Sprintf("the path %q contains [, %% or $", pattern)
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
			d.included = append(d.included, p.parseFile(path))
		}
	}
	return d, ""
}

// applyDirectives calls set for each keyword that applies to an alias, in file order. outer reports
// whether the Host block that includes the directives applies.
func applyDirectives(directives []directive, alias string, outer bool, set func(keyword string, args []string)) {
	active := outer
	for _, d := range directives {
		switch {
		case d.included != nil:
			for _, file := range d.included {
				applyDirectives(file, alias, active, set)
			}
		case d.host != nil:
			active = outer && d.host.Matches(alias)
		case active:
			set(d.keyword, d.args)
		}
	}
}
