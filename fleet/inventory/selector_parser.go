package inventory

import (
	"fmt"
	"math/big"
	"path"
	"slices"
	"strconv"
	"strings"
)

// selectorParser parses and evaluates a selector in one pass: each rule of the grammar is a method
// that returns a set.
type selectorParser struct {
	*hostIndex
	scanner
	depth int
}

// token is a word, a parenthesis or a comma. At the end of the selector, its text is empty.
type token struct {
	text string
	at   int // in characters
}

// scanner splits a selector into tokens.
type scanner struct {
	text []rune
	at   int
}

const (
	spaces      = " \t\r\n"
	punctuation = "(),"
)

// peek returns the next token without consuming it.
func (s *scanner) peek() token {
	rest := s.text[s.at:]
	start := indexFunc(rest, func(r rune) bool { return !strings.ContainsRune(spaces, r) })
	s.at += start
	rest = rest[start:]
	if len(rest) > 0 && strings.ContainsRune(punctuation, rest[0]) {
		return token{string(rest[:1]), s.at}
	}
	end := indexFunc(rest, func(r rune) bool { return strings.ContainsRune(spaces+punctuation, r) })
	return token{string(rest[:end]), s.at}
}

// indexFunc returns the index of the first rune that satisfies a predicate, or the length of the
// text.
func indexFunc(text []rune, predicate func(rune) bool) int {
	if i := slices.IndexFunc(text, predicate); i >= 0 {
		return i
	}
	return len(text)
}

func (s *scanner) skip(t token) { s.at = t.at + len([]rune(t.text)) }

func (s *scanner) errorf(t token, hint, format string, args ...any) error {
	return &SelectorError{Selector: string(s.text), Column: t.at + 1, Message: fmt.Sprintf(format, args...), hint: hint}
}

func (p *selectorParser) parse() (*big.Int, error) {
	if t := p.peek(); t.text == "" {
		return nil, &hintedError{"the selector is empty", "use * to select all hosts"}
	}
	set, err := p.parseOr()
	if err != nil {
		return nil, err
	}
	switch t := p.peek(); t.text {
	case "":
		return set, nil
	case ")":
		return nil, p.errorf(t, "", "unexpected )")
	default:
		return nil, p.missingOperator(t)
	}
}

const hintOperators = "the operators are and, or, not"

// missingOperator returns an error about two terms side by side.
func (p *selectorParser) missingOperator(t token) error {
	if strings.Trim(t.text, "&|") == "" {
		return p.errorf(t, hintOperators, "invalid operator %s", quote(t.text))
	}
	return p.errorf(t, "use A, B to select hosts in either, A and B to select hosts in both", "missing operator before %s", quote(t.text))
}

// parseOr parses the rule or = and { ("or" | ",") and }.
func (p *selectorParser) parseOr() (*big.Int, error) {
	set, err := p.parseAnd()
	for err == nil {
		t := p.peek()
		if t.text != "or" && t.text != "," {
			return set, nil
		}
		p.skip(t)
		var operand *big.Int
		if operand, err = p.parseAnd(); err == nil {
			set.Or(set, operand)
		}
	}
	return nil, err
}

// parseAnd parses the rule and = unary { "and" unary }.
func (p *selectorParser) parseAnd() (*big.Int, error) {
	set, err := p.parseUnary()
	for err == nil {
		t := p.peek()
		if t.text != "and" {
			return set, nil
		}
		p.skip(t)
		var operand *big.Int
		if operand, err = p.parseUnary(); err == nil {
			set.And(set, operand)
		}
	}
	return nil, err
}

// maxSelectorDepth is deeper than any real selector, and far from exhausting the stack.
const maxSelectorDepth = 200

// parseUnary parses the rule unary = "not" unary | "(" or ")" | term.
func (p *selectorParser) parseUnary() (*big.Int, error) {
	t := p.peek()
	if p.depth == maxSelectorDepth {
		return nil, p.errorf(t, "", "selector is nested too deeply")
	}
	p.depth++
	defer func() { p.depth-- }()
	switch t.text {
	case "", ")", ",", "and", "or":
		found := quote(t.text)
		if t.text == "" {
			found = "the end"
		}
		return nil, p.errorf(t, "select hosts by name, @tag, kind:KIND or wave:N", "expected hosts, not %s", found)
	case "not":
		p.skip(t)
		set, err := p.parseUnary()
		if err != nil {
			return nil, err
		}
		return p.complement(set), nil
	case "(":
		return p.parseGroup(t)
	}
	p.skip(t)
	return p.parseTerm(t)
}

func (p *selectorParser) parseGroup(open token) (*big.Int, error) {
	p.skip(open)
	set, err := p.parseOr()
	if err != nil {
		return nil, err
	}
	switch t := p.peek(); t.text {
	case ")":
		p.skip(t)
		return set, nil
	case "":
		return nil, p.errorf(t, "the ( is in column "+strconv.Itoa(open.at+1), "missing )")
	default:
		return nil, p.missingOperator(t)
	}
}

// parseTerm returns the hosts that a single word selects.
func (p *selectorParser) parseTerm(t token) (*big.Int, error) {
	if tag, ok := strings.CutPrefix(t.text, "@"); ok {
		return p.byTag(t, tag)
	}
	if field, arg, ok := strings.Cut(t.text, ":"); ok {
		hint := DidYouMean(field, []string{"kind", "wave"})
		switch field {
		case "kind":
			return p.byKind(t, arg)
		case "wave":
			return p.byWave(t, arg)
		case "tag":
			hint = "write @" + arg
		}
		return nil, p.errorf(t, hint, "invalid field %s: must be kind: or wave:", quote(field+":"))
	}
	return p.byNameOrPattern(t)
}

func (p *selectorParser) byNameOrPattern(t token) (*big.Int, error) {
	match, err := p.compilePattern(t, t.text)
	if err != nil {
		return nil, err
	}
	if match != nil {
		if set := p.matching(func(h *Host) bool { return match(h.Name) }); set.Sign() != 0 {
			return set, nil
		}
		return nil, p.errorf(t, p.similarNames(withoutWildcards(t.text)), "no host name matches %s", quote(t.text))
	}
	i, ok := p.byName[t.text]
	if !ok {
		return nil, p.errorf(t, p.similarNames(t.text), "no host is named %s", quote(t.text))
	}
	return new(big.Int).SetBit(new(big.Int), i, 1), nil
}

func (p *selectorParser) byTag(t token, tag string) (*big.Int, error) {
	match, err := p.compilePattern(t, tag)
	if err != nil {
		return nil, err
	}
	if match == nil {
		match = func(s string) bool { return s == tag }
	}
	if set := p.matching(func(h *Host) bool { return slices.ContainsFunc(h.Tags, match) }); set.Sign() != 0 {
		return set, nil
	}
	tags := p.tags()
	hint := DidYouMean(tag, tags)
	if hint == "" && tags != nil && len(tags) <= 20 {
		hint = "the tags are " + strings.Join(tags, ", ")
	}
	return nil, p.errorf(t, hint, "no host has the tag %s", quote(tag))
}

func (p *selectorParser) byKind(t token, kind string) (*big.Int, error) {
	if !slices.Contains(kinds(), kind) {
		hint := DidYouMean(kind, kinds())
		return nil, p.errorf(t, hint, "invalid kind %s: must be %s", quote(kind), oneOf(kinds()))
	}
	return p.matching(func(h *Host) bool { return h.Kind == Kind(kind) }), nil
}

func (p *selectorParser) byWave(t token, wave string) (*big.Int, error) {
	n, err := strconv.Atoi(wave)
	if err != nil || n < 1 {
		return nil, p.errorf(t, "for example wave:2", "invalid wave %s: must be a number from 1", quote(wave))
	}
	return p.matching(func(h *Host) bool { return h.Wave == n }), nil
}

const (
	wordCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	wildcards      = "*?[]!^"
)

// compilePattern returns a function that matches names or tags, or nil if word has no wildcards.
func (p *selectorParser) compilePattern(t token, word string) (func(string) bool, error) {
	for _, c := range word {
		if !strings.ContainsRune(wordCharacters+wildcards, c) {
			hint := "names and tags contain letters, digits, '.', '_' and '-'; * ? [a-c] are wildcards"
			if strings.HasPrefix(word, "!") || strings.ContainsAny(word, "&|") {
				hint = hintOperators
			}
			return nil, p.errorf(t, hint, "invalid character %s", quote(string(c)))
		}
	}
	switch {
	case word == "":
		return nil, p.errorf(t, "for example @server", "the tag is empty")
	case strings.HasPrefix(word, "!"), strings.HasPrefix(word, "-"), strings.HasPrefix(word, "^"):
		return nil, p.errorf(t, "write not "+word[1:], "invalid operator %s", quote(word[:1]))
	case !strings.ContainsAny(word, wildcards):
		return nil, nil
	}
	glob := strings.ReplaceAll(word, "[!", "[^")
	if _, err := path.Match(glob, ""); err != nil {
		return nil, p.errorf(t, "close the [ with a ], as in hsb[0-2]", "invalid pattern %s", quote(word))
	}
	return func(s string) bool {
		ok, _ := path.Match(glob, s) // the pattern was checked above
		return ok
	}, nil
}

// similarNames returns a hint for a name that no host has.
func (p *selectorParser) similarNames(word string) string {
	if hint := DidYouMean(word, p.names()); hint != "" {
		return hint
	}
	return p.hostIndex.hint()
}

// withoutWildcards returns the literal part of a pattern, to find similar names.
func withoutWildcards(pattern string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(wildcards, r) {
			return -1
		}
		return r
	}, pattern)
}
