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

// reading is what was read from ssh_config(5) files: the plain part of the language, which is what nearly everybody
// writes. odd is the first thing beyond it, and then the whole reading is not to be used: ssh itself has to be asked.
type parsedConfig struct {
	directives  []directive
	unhandled    *unhandledSyntax
	stamps []fileStamp
}

// step is one line: a Host block begins, a keyword is set, or another file's lines are included.
type directive struct {
	host    *ssh_config.Host // its patterns alone
	keyword string           // in lower case
	args    []string
	included [][]directive // a file each: a Host block ends with its file
}

type unhandledSyntax struct {
	file string
	line int // 0: the file as a whole
	reason  string
}

func (o *unhandledSyntax) String() string {
	if o.line == 0 {
		return fmt.Sprintf("%s: %s", o.file, o.reason)
	}
	return fmt.Sprintf("%s:%d: %s", o.file, o.line, o.reason)
}

// stamp tells whether a file, or the directory that an Include looks into, is what it was.
type fileStamp struct {
	path string
	size int64
	modTime time.Time
}

func newFileStamp(path string) fileStamp {
	info, err := os.Stat(path)
	if err != nil {
		return fileStamp{path: path, size: -1}
	}
	return fileStamp{path, info.Size(), info.ModTime()}
}

// current reports whether the files are still those that were read.
func (r *parsedConfig) unchanged() bool {
	return !slices.ContainsFunc(r.stamps, func(s fileStamp) bool { return newFileStamp(s.path) != s })
}

// configReader reads one file and what it includes.
type configParser struct {
	home  string
	dir   string // where relative Includes are
	checkMode bool   // refuse, as ssh does, a file that others may write to
	result  *parsedConfig
	depth int
}

// deepest is how far OpenSSH lets files include each other.
const maxIncludeDepth = 16

func (c configParser) parseFile(path string) []directive {
	c.result.stamps = append(c.result.stamps, newFileStamp(path))
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		c.markUnhandled(path, 0, err.Error())
		return nil
	}
	if info, err := os.Stat(path); c.checkMode && err == nil && info.Mode().Perm()&0o022 != 0 {
		c.markUnhandled(path, 0, "others may write to it")
	}
	var steps []directive
	for i, line := range bytes.Split(text, []byte("\n")) {
		s, why := c.parseLine(strings.Trim(string(line), " \t\r\f"))
		if why != "" {
			c.markUnhandled(path, i+1, why)
		}
		if s.keyword != "" {
			steps = append(steps, s)
		}
	}
	return steps
}

// leave notes what has to be left to ssh.
func (c configParser) markUnhandled(path string, line int, why string) {
	if c.result.unhandled == nil {
		c.result.unhandled = &unhandledSyntax{path, line, why}
	}
}

// line reads one line without the space around it. why is not "" where the line is beyond the plain part.
func (c configParser) parseLine(line string) (s directive, why string) {
	if line == "" || line[0] == '#' {
		return s, ""
	}
	end := strings.IndexAny(line, " \t=")
	if end <= 0 {
		return s, fmt.Sprintf("%q has no value", line)
	}
	s.keyword = strings.ToLower(line[:end])
	rest := strings.TrimLeft(line[end:], " \t")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
	if s.keyword == "proxycommand" { // all the rest of the line, whatever it holds
		s.args = []string{rest}
		return s, unhandledReason(s.keyword, s.args)
	}
	if strings.ContainsAny(rest, "\"'\\#") || strings.ContainsFunc(rest, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }) {
		return s, fmt.Sprintf("%q is more than plain words", rest)
	}
	s.args = strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(s.args) == 0 || s.args[0][0] == '=' {
		return s, fmt.Sprintf("%q has no value", line)
	}
	switch s.keyword {
	case "host":
		return c.parseHost(s)
	case "match":
		if len(s.args) == 1 && strings.EqualFold(s.args[0], "all") {
			s.args = []string{"*"}
			return c.parseHost(s)
		}
		s.host = &ssh_config.Host{}
		return s, "\"Match\" tests more than the name"
	case "include":
		return c.parseInclude(s)
	}
	return s, unhandledReason(s.keyword, s.args)
}

// block begins a Host block. Its patterns are the library's to match, but for the ? that it lets stand for nothing too.
func (c configParser) parseHost(s directive) (directive, string) {
	s.host = &ssh_config.Host{}
	for _, word := range s.args {
		if strings.Contains(word, "?") {
			return s, fmt.Sprintf("%q is more than a plain pattern", word)
		}
		pattern, err := ssh_config.NewPattern(word)
		if err != nil {
			return s, err.Error()
		}
		s.host.Patterns = append(s.host.Patterns, pattern)
	}
	return s, ""
}

func (c configParser) parseInclude(s directive) (directive, string) {
	if c.depth >= maxIncludeDepth {
		return s, "\"Include\" goes too deep"
	}
	c.depth++
	s.included = [][]directive{}
	for _, pattern := range s.args {
		if strings.ContainsAny(pattern, "[%$") {
			return s, fmt.Sprintf("%q is more than a plain path", pattern)
		}
		pattern = expandTilde(pattern, c.home)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(c.dir, pattern)
		}
		if strings.ContainsAny(pattern, "*?") {
			c.result.stamps = append(c.result.stamps, newFileStamp(filepath.Dir(pattern)))
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return s, err.Error()
		}
		if paths == nil {
			c.result.stamps = append(c.result.stamps, newFileStamp(pattern))
		}
		for _, path := range paths {
			s.included = append(s.included, c.parseFile(path))
		}
	}
	return s, ""
}

// walk goes through the steps as ssh does, and gives each keyword that applies to the alias to set.
func applyDirectives(steps []directive, alias string, outer bool, set func(keyword string, args []string)) {
	active := outer
	for _, s := range steps {
		switch {
		case s.included != nil:
			for _, file := range s.included {
				applyDirectives(file, alias, active, set)
			}
		case s.host != nil:
			active = outer && s.host.Matches(alias)
		case active:
			set(s.keyword, s.args)
		}
	}
}
