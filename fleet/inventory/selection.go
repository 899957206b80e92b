package inventory

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// selection reads a selector and works out its hosts as it goes: a rule of the grammar is a method that gives a set.
type selection struct {
	*field
	scanner
	depth int
}

// token is a word, one of ( ) , or the end, which has no text.
type token struct {
	text string
	at   int // in characters
}

// scanner cuts a selector into tokens.
type scanner struct {
	text []rune
	at   int
}

// peek is the token that comes next.
func (s *scanner) peek() token {
	i := s.at
	for i < len(s.text) && strings.ContainsRune(" \t\r\n", s.text[i]) {
		i++
	}
	s.at = i
	for i < len(s.text) && !strings.ContainsRune(" \t\r\n(),", s.text[i]) {
		i++
	}
	if i == s.at && i < len(s.text) {
		i++
	}
	return token{string(s.text[s.at:i]), s.at}
}

func (s *scanner) skip(t token) { s.at = t.at + len([]rune(t.text)) }

func (s *scanner) fail(t token, hint, format string, args ...any) error {
	return &SelectorError{Selector: string(s.text), Column: t.at + 1, Message: fmt.Sprintf(format, args...), Mend: hint}
}

func (p *selection) whole() (hostSet, error) {
	if t := p.peek(); t.text == "" {
		return nil, &hinted{"the selector is empty", "* picks every host"}
	}
	set, err := p.either()
	if err != nil {
		return nil, err
	}
	switch t := p.peek(); t.text {
	case "":
		return set, nil
	case ")":
		return nil, p.fail(t, "", "this ) closes nothing")
	default:
		return nil, p.unjoined(t)
	}
}

// unjoined is two terms side by side.
func (p *selection) unjoined(t token) error {
	if strings.Trim(t.text, "&|") == "" {
		return p.fail(t, "the words are and, or, not", "%s cannot be in a selector", quote(t.text))
	}
	return p.fail(t, "join them: A, B is either, A and B is both", "%s follows without a word between", quote(t.text))
}

// either = both { ("or" | ",") both }
func (p *selection) either() (hostSet, error) {
	set, err := p.both()
	for err == nil {
		t := p.peek()
		if t.text != "or" && t.text != "," {
			return set, nil
		}
		p.skip(t)
		var more hostSet
		if more, err = p.both(); err == nil {
			set.add(more)
		}
	}
	return nil, err
}

// both = one { "and" one }
func (p *selection) both() (hostSet, error) {
	set, err := p.one()
	for err == nil {
		t := p.peek()
		if t.text != "and" {
			return set, nil
		}
		p.skip(t)
		var other hostSet
		if other, err = p.one(); err == nil {
			set.keep(other)
		}
	}
	return nil, err
}

// one = "not" one | "(" either ")" | term
func (p *selection) one() (hostSet, error) {
	const deepest = 200 // beyond what anybody writes, and far from where the stack ends
	t := p.peek()
	if p.depth++; p.depth > deepest {
		return nil, p.fail(t, "", "this is nested too deep")
	}
	defer func() { p.depth-- }()
	switch t.text {
	case "", ")", ",", "and", "or":
		what := quote(t.text)
		if t.text == "" {
			what = "the end"
		}
		return nil, p.fail(t, "hosts are picked by name, @tag, kind:KIND or wave:N", "expected hosts, not %s", what)
	case "not":
		p.skip(t)
		set, err := p.one()
		if err != nil {
			return nil, err
		}
		return p.without(set), nil
	case "(":
		p.skip(t)
		set, err := p.either()
		if err != nil {
			return nil, err
		}
		switch closing := p.peek(); closing.text {
		case ")":
			p.skip(closing)
			return set, nil
		case "":
			return nil, p.fail(closing, "the ( is in column "+strconv.Itoa(t.at+1), "expected a closing )")
		default:
			return nil, p.unjoined(closing)
		}
	}
	p.skip(t)
	return p.term(t)
}

// term is the hosts that one word picks.
func (p *selection) term(t token) (hostSet, error) {
	if tag, is := strings.CutPrefix(t.text, "@"); is {
		return p.tagged(t, tag)
	}
	if field, want, is := strings.Cut(t.text, ":"); is {
		switch field {
		case "kind":
			return p.ofKind(t, want)
		case "wave":
			return p.ofWave(t, want)
		case "tag":
			return nil, p.fail(t, "write @"+want, "there is no tag: in selectors")
		}
		return nil, p.fail(t, DidYouMean(field, []string{"kind", "wave"}), "%s is not kind: or wave:", quote(field+":"))
	}
	return p.named(t)
}

func (p *selection) named(t token) (hostSet, error) {
	match, err := p.pattern(t, t.text)
	if err != nil {
		return nil, err
	}
	if match != nil {
		if set := p.where(func(h *Host) bool { return match(h.Name) }); !set.empty() {
			return set, nil
		}
		return nil, p.fail(t, p.nearNames(literalPart(t.text)), "no host's name matches %s", quote(t.text))
	}
	i, known := p.byName[t.text]
	if !known {
		return nil, p.fail(t, p.nearNames(t.text), "no host is called %s", quote(t.text))
	}
	set := p.none()
	set.put(i)
	return set, nil
}

func (p *selection) tagged(t token, tag string) (hostSet, error) {
	match, err := p.pattern(t, tag)
	if err != nil {
		return nil, err
	}
	if match == nil {
		match = func(s string) bool { return s == tag }
	}
	if set := p.where(func(h *Host) bool { return slices.ContainsFunc(h.Tags, match) }); !set.empty() {
		return set, nil
	}
	tags := p.tags()
	hint := DidYouMean(tag, tags)
	if hint == "" && len(tags) > 0 && len(tags) <= 20 {
		hint = "tags are " + strings.Join(tags, ", ")
	}
	return nil, p.fail(t, hint, "no host has a tag %s", quote(tag))
}

func (p *selection) ofKind(t token, want string) (hostSet, error) {
	kinds := []string{string(NixOS), string(Darwin), string(Home)}
	if !slices.Contains(kinds, want) {
		hint := DidYouMean(want, kinds)
		if hint == "" {
			hint = "kinds are " + strings.Join(kinds, ", ")
		}
		return nil, p.fail(t, hint, "there is no kind %s", quote(want))
	}
	return p.where(func(h *Host) bool { return h.Kind == Kind(want) }), nil
}

func (p *selection) ofWave(t token, want string) (hostSet, error) {
	n, err := strconv.Atoi(want)
	if err != nil || n < 1 {
		return nil, p.fail(t, "as in wave:2", "%s is no wave", quote(want))
	}
	return p.where(func(h *Host) bool { return h.Wave == n }), nil
}

// pattern turns a word with wildcards into what it matches; a word without any is nil.
func (p *selection) pattern(t token, word string) (func(string) bool, error) {
	for _, c := range word {
		if !strings.ContainsRune("._-*?[]!^", c) && !isWordRune(c) {
			hint := "a name or a tag has letters, digits, '.', '_' and '-'; * ? [a-c] match"
			if strings.HasPrefix(word, "!") || strings.ContainsAny(word, "&|") {
				hint = "the words are and, or, not"
			}
			return nil, p.fail(t, hint, "%s cannot be in a selector", quote(string(c)))
		}
	}
	switch {
	case word == "":
		return nil, p.fail(t, "as in @server", "the tag is empty")
	case strings.HasPrefix(word, "!"), strings.HasPrefix(word, "-"), strings.HasPrefix(word, "^"):
		return nil, p.fail(t, "write not "+word[1:], "%s cannot be in a selector", quote(word[:1]))
	case !strings.ContainsAny(word, "*?[]!^"):
		return nil, nil
	}
	glob := strings.ReplaceAll(word, "[!", "[^")
	if _, err := path.Match(glob, ""); err != nil {
		return nil, p.fail(t, "[ needs its ], as in hsb[0-2]", "%s is not a pattern", quote(word))
	}
	return func(s string) bool {
		ok, _ := path.Match(glob, s) // it is well formed
		return ok
	}, nil
}

func isWordRune(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func (p *selection) nearNames(word string) string {
	if hint := DidYouMean(word, p.names()); hint != "" {
		return hint
	}
	return (&Inventory{Hosts: p.hosts}).orientation()
}

// literalPart is a pattern without its wildcards, to look for names that are near.
func literalPart(glob string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("*?[]!^", r) {
			return -1
		}
		return r
	}, glob)
}
