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
type reading struct {
	steps  []step
	odd    *oddity
	stamps []stamp
}

// step is one line: a Host block begins, a keyword is set, or another file's lines are included.
type step struct {
	host    *ssh_config.Host // its patterns alone
	keyword string           // in lower case
	args    []string
	include [][]step // a file each: a Host block ends with its file
}

type oddity struct {
	file string
	line int // 0: the file as a whole
	why  string
}

func (o *oddity) String() string {
	if o.line == 0 {
		return fmt.Sprintf("%s: %s", o.file, o.why)
	}
	return fmt.Sprintf("%s:%d: %s", o.file, o.line, o.why)
}

// stamp tells whether a file, or the directory that an Include looks into, is what it was.
type stamp struct {
	path string
	size int64
	time time.Time
}

func newStamp(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{path: path, size: -1}
	}
	return stamp{path, info.Size(), info.ModTime()}
}

// current reports whether the files are still those that were read.
func (r *reading) current() bool {
	return !slices.ContainsFunc(r.stamps, func(s stamp) bool { return newStamp(s.path) != s })
}

// configReader reads one file and what it includes.
type configReader struct {
	home  string
	dir   string // where relative Includes are
	check bool   // refuse, as ssh does, a file that others may write to
	into  *reading
	depth int
}

// deepest is how far OpenSSH lets files include each other.
const deepest = 16

func (c configReader) file(path string) []step {
	c.into.stamps = append(c.into.stamps, newStamp(path))
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		c.leave(path, 0, err.Error())
		return nil
	}
	if info, err := os.Stat(path); c.check && err == nil && info.Mode().Perm()&0o022 != 0 {
		c.leave(path, 0, "others may write to it")
	}
	var steps []step
	for i, line := range bytes.Split(text, []byte("\n")) {
		s, why := c.line(strings.Trim(string(line), " \t\r\f"))
		if why != "" {
			c.leave(path, i+1, why)
		}
		if s.keyword != "" {
			steps = append(steps, s)
		}
	}
	return steps
}

// leave notes what has to be left to ssh.
func (c configReader) leave(path string, line int, why string) {
	if c.into.odd == nil {
		c.into.odd = &oddity{path, line, why}
	}
}

// line reads one line without the space around it. why is not "" where the line is beyond the plain part.
func (c configReader) line(line string) (s step, why string) {
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
		return s, plainValue(s.keyword, s.args)
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
		return c.block(s)
	case "match":
		if len(s.args) == 1 && strings.EqualFold(s.args[0], "all") {
			s.args = []string{"*"}
			return c.block(s)
		}
		s.host = &ssh_config.Host{}
		return s, "\"Match\" tests more than the name"
	case "include":
		return c.include(s)
	}
	return s, plainValue(s.keyword, s.args)
}

// block begins a Host block. Its patterns are the library's to match, but for the ? that it lets stand for nothing too.
func (c configReader) block(s step) (step, string) {
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

func (c configReader) include(s step) (step, string) {
	if c.depth >= deepest {
		return s, "\"Include\" goes too deep"
	}
	c.depth++
	s.include = [][]step{}
	for _, pattern := range s.args {
		if strings.ContainsAny(pattern, "[%$") {
			return s, fmt.Sprintf("%q is more than a plain path", pattern)
		}
		pattern = tilde(pattern, c.home)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(c.dir, pattern)
		}
		if strings.ContainsAny(pattern, "*?") {
			c.into.stamps = append(c.into.stamps, newStamp(filepath.Dir(pattern)))
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return s, err.Error()
		}
		if paths == nil {
			c.into.stamps = append(c.into.stamps, newStamp(pattern))
		}
		for _, path := range paths {
			s.include = append(s.include, c.file(path))
		}
	}
	return s, ""
}

// walk goes through the steps as ssh does, and gives each keyword that applies to the alias to set.
func walk(steps []step, alias string, outer bool, set func(keyword string, args []string)) {
	active := outer
	for _, s := range steps {
		switch {
		case s.include != nil:
			for _, file := range s.include {
				walk(file, alias, active, set)
			}
		case s.host != nil:
			active = outer && s.host.Matches(alias)
		case active:
			set(s.keyword, s.args)
		}
	}
}
