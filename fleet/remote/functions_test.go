package remote

import (
	"regexp"
	"slices"
	"strings"
)

// shellFunction is a function of a composed script.
type shellFunction struct {
	name  string
	body  string
	lines int      // of its text, with the comment above it
	calls []string // command words of its body, in order
}

// shellProgram is a parsed script: its functions, and the commands outside of them.
type shellProgram struct {
	functions map[string]shellFunction
	calls     []string // outside of functions
	lines     int      // that are not blank
}

var (
	hereScript    = regexp.MustCompile(`(?s)<<'END_OF_FLEETCTL_SCRIPT'\n.*?\nEND_OF_FLEETCTL_SCRIPT\n`)
	functionStart = regexp.MustCompile(`^([a-z_]+)\(\) [{(]`)
)

// parseShell parses a script of the style used here: a function starts in the first column, and
// ends on the same line or with a closing bracket in the first column.
func parseShell(text string) shellProgram {
	text = hereScript.ReplaceAllString(text, "\n")
	p := shellProgram{functions: map[string]shellFunction{}}
	var outside strings.Builder
	comments := 0
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.TrimSpace(line) != "" {
			p.lines++
		}
		start := functionStart.FindStringSubmatch(line)
		if start == nil {
			comments++
			if !strings.HasPrefix(line, "#") {
				comments = 0
			}
			outside.WriteString(line + "\n")
			continue
		}
		f := shellFunction{name: start[1], lines: comments + 1}
		comments = 0
		body := line[len(start[0]):] + "\n"
		if !strings.HasSuffix(line, "}") && !strings.HasSuffix(line, ")") {
			for i++; lines[i] != "}" && lines[i] != ")"; i++ {
				body += lines[i] + "\n"
				if strings.TrimSpace(lines[i]) != "" {
					f.lines++
					p.lines++
				}
			}
			f.lines++
			p.lines++
		}
		f.body, f.calls = body, commands(body)
		p.functions[f.name] = f
	}
	p.calls = commands(outside.String())
	return p
}

// unreachable returns the functions that are never called and the percentage of the script's lines
// that they make up.
func (p shellProgram) unreachable() (names []string, percent int) {
	reached := map[string]bool{}
	var reach func(calls []string)
	reach = func(calls []string) {
		for _, call := range calls {
			for name, f := range p.functions {
				prefix, dynamic := strings.CutSuffix(call, "$")
				if (name == call || dynamic && prefix != "" && strings.HasPrefix(name, prefix)) && !reached[name] {
					reached[name] = true
					reach(f.calls)
				}
			}
		}
	}
	reach(p.calls)
	lines := 0
	for name, f := range p.functions {
		if !reached[name] {
			names = append(names, name)
			lines += f.lines
		}
	}
	slices.Sort(names)
	return names, 100 * lines / p.lines
}

// commands returns the command words of sh text: those in the position of a command, and those that
// trap and limit run. A word that ends in a variable ends in "$".
func commands(text string) []string {
	l := shellLexer{text: text, expect: 1}
	l.code(0)
	return l.found
}

// shellLexer finds the command words of sh text.
type shellLexer struct {
	text   string
	at     int
	found  []string
	expect int  // the number of words until the next command; 0 is none
	inCase bool // the next "in" belongs to a case
}

// keywords are followed by a command.
var keywords = []string{"if", "then", "elif", "else", "while", "until", "do", "!", "{", "fi", "done", "esac", "}", "exec", "eval"}

// code reads commands up to an unquoted end character, or all of the text.
func (l *shellLexer) code(end byte) {
	pattern, parens := false, 0
	l.expect = 1
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == end && parens == 0 && !pattern:
			return
		case c == '\n' || c == ';' || c == '&' || c == '|':
			if strings.HasPrefix(l.text[l.at:], ";;") {
				pattern = true
				l.at++
			}
			if c == '&' && (l.at > 0 && l.text[l.at-1] == '>' || l.at+1 < len(l.text) && l.text[l.at+1] == '>') {
				l.at++
				continue // a redirection
			}
			l.expect = 1
			l.at++
		case c == '(' && !pattern:
			parens++
			l.expect = 1
			l.at++
		case c == ')':
			if pattern {
				pattern = false
			} else {
				parens--
			}
			l.expect = 1
			l.at++
		case c == ' ' || c == '\t':
			l.at++
		case c == '#' && (l.at == 0 || strings.ContainsRune(" \n\t;", rune(l.text[l.at-1]))):
			for l.at < len(l.text) && l.text[l.at] != '\n' {
				l.at++
			}
		default:
			word := l.word()
			switch {
			case pattern && word == "esac":
				pattern = false
				l.expect = 0
			case pattern:
			case word == "in" && l.inCase:
				pattern, l.inCase = true, false
			case l.expect != 1:
				l.expect = max(0, l.expect-1)
			case slices.Contains(keywords, word):
			case word == "case":
				l.inCase, l.expect = true, 0
			case strings.Contains(word, "="):
			default:
				l.found = append(l.found, word)
				l.expect = map[string]int{"trap": 1, "limit": 2}[word]
			}
		}
	}
}

// word reads a word, including the commands substituted in it. It returns the text up to the first
// variable, and "$" for that.
func (l *shellLexer) word() string {
	var word strings.Builder
	quoted, variable := false, false
	for ; l.at < len(l.text); l.at++ {
		c := l.text[l.at]
		switch {
		case c == '\\':
			l.at++
		case c == '\'' && !quoted:
			l.at += 1 + strings.IndexByte(l.text[l.at+1:], '\'')
			l.at = min(l.at, len(l.text)-1)
		case c == '"':
			quoted = !quoted
		case c == '$':
			if !variable {
				word.WriteByte('$')
			}
			variable = true
			l.dollar()
		case !quoted && strings.ContainsRune(" \t\n;&|()", rune(c)):
			return word.String()
		case !variable:
			word.WriteByte(c)
		}
	}
	return word.String()
}

// dollar skips an expansion, or reads the commands of a substitution.
func (l *shellLexer) dollar() {
	rest := l.text[l.at+1:]
	switch {
	case strings.HasPrefix(rest, "(("):
		l.at += 1 + strings.Index(rest, "))") + 1
	case strings.HasPrefix(rest, "("):
		expect, inCase := l.expect, l.inCase
		l.at += 2
		l.code(')')
		l.expect, l.inCase = expect, inCase
	case strings.HasPrefix(rest, "{"):
		depth := 0
		for l.at++; l.at < len(l.text); l.at++ {
			switch l.text[l.at] {
			case '{':
				depth++
			case '}':
				if depth--; depth == 0 {
					return
				}
			}
		}
	}
}
