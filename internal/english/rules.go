//english:ignore-file the rules name the words that they forbid

package main

import (
	"regexp"
	"strings"
)

// A rule forbids a word or a form.
type rule struct {
	name       string
	in         kind
	pattern    *regexp.Regexp
	suggestion string
	reason     string
	// allow, if set, reports whether a match is fine, given the text before it, the match and the
	// text after it.
	allow func(before, match, after string) bool
}

// pattern compiles a pattern of whole words, in any case. A space matches any white space, so that
// a form is found across a line break.
func pattern(p string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)` + strings.ReplaceAll(p, " ", `\s+`))
}

// wordRules are the rules for text, in the order in which -rules prints them.
var wordRules = []rule{
	{
		name: "pronoun", in: anywhere, pattern: pattern(`\b((some|no|any)body|who(so|m)?ever)\b`),
		suggestion: `name the actor: "the caller", "the operator", "another process", "no client"`,
		reason:     "technical text names the actor instead of using an indefinite pronoun",
		allow:      quoted,
	},
	{
		name: "oftener", in: anywhere, pattern: pattern(`\b(not )?oftener\b`), suggestion: `"more often", "at most"`,
		reason: "the comparative is archaic",
	},
	{
		name: "mend", in: anywhere, pattern: pattern(`\bmend(s|ed|ing)?\b`), suggestion: `"fix"`,
		reason: "software is fixed, clothes are mended",
	},
	{
		name: "wanted", in: anywhere, pattern: pattern(`\b(as|than) wanted\b`), suggestion: `"up to date", "in sync", "as configured"`,
		reason: "the field says that a system is in sync with its desired state",
	},
	{
		name: "fare", in: anywhere, pattern: pattern(`\bfare[sd]?\b`), suggestion: `"is", "the status of"`,
		reason: "a host has a status",
	},
	{
		name: "itself", in: anywhere, pattern: pattern(`\bby (itself|themselves)\b`), suggestion: `"automatically", "on its own"`,
		reason: "what needs no operator happens automatically",
	},
	{
		name: "goes-on", in: anywhere, pattern: pattern(`\b((goes|went|gone) on|go on to)\b`), suggestion: `"continues", "keeps"`,
		reason: "an operation continues",
	},
	{
		name: "is-no", in: anywhere, pattern: pattern(`\b(is|are|was|were) no [a-z]+`), suggestion: `"is not a"`,
		reason: `"X is no Y" is archaic outside "there is no Y"`,
		allow: func(before, match, _ string) bool {
			switch last(strings.Fields(match)) {
			case "longer", "more", "less", "fewer", "different", "better", "worse", "later", "earlier", "larger", "smaller", "newer", "older", "one", "matter":
				return true
			}
			return existential.MatchString(before)
		},
	},
	{
		name: "begun", in: anywhere, pattern: pattern(`\bbegun\b`), suggestion: `"started"`,
		reason: `the pair is "start" and "finish"`,
	},
	{
		name: "so-long", in: anywhere, pattern: pattern(`\bfor so (long|many)\b`), suggestion: `"for that long", "for this many"`,
		reason: `"so" refers to a length only in dialect`,
	},
	{
		name: "ever", in: anywhere, pattern: pattern(`\bas ever\b`), suggestion: `"as usual", "as before"`,
		reason: "it is a literary form",
	},
	{
		name: "asked-for", in: anywhere, pattern: pattern(`\b(is|are|was|were|be|been|being) asked for\b`), suggestion: `"prompted for", "requested"`,
		reason: "programs prompt, and operators request",
	},
	{
		name: "such-as", in: anywhere, pattern: pattern(`\bsuch as (is|are|was|were)\b|\b(is|are) such as\b`), suggestion: `"those that"`,
		reason: "it is archaic",
	},
	{
		name: "turn-away", in: anywhere, pattern: pattern(`\bturn(s|ed|ing)?( \w+)? away\b`), suggestion: `"reject", "refuse"`,
		reason: "servers reject",
	},
	{
		name: "hold-against", in: anywhere, pattern: pattern(`\b(held|holds?|holding)( \w+)? against\b`), suggestion: `"compare with"`,
		reason: "values are compared; grudges are held",
	},
	{
		name: "tell", in: anywhere, pattern: pattern(`\b(tells?|told|telling) of\b`), suggestion: `"report", "show"`,
		reason: "programs report, print, return and show",
	},
	{
		name: "apart", in: anywhere, pattern: pattern(`\b(tells?|told|telling)( \w+){0,4} apart\b`), suggestion: `"distinguish", "compare"`,
		reason: "programs distinguish and compare",
	},
	{
		name: "owed", in: anywhere, pattern: pattern(`\b(is|are|was|were|still) owed\b|\bowes\b`), suggestion: `"pending"`,
		reason: "work is pending",
	},
	{
		name: "at-work", in: anywhere, pattern: pattern(`\bat work( on)?\b`), suggestion: `"running", "running on"`,
		reason: "jobs run",
	},
	{
		name: "else", in: sentence, pattern: pattern(`[,.] else\b`), suggestion: `"otherwise"`,
		reason: `"else" at the start of a clause is code, not English`,
		allow: func(_, _, after string) bool {
			return strings.HasPrefix(after, " if ") || strings.HasPrefix(after, "'")
		},
	},
	{
		name: "problem", in: anywhere, pattern: pattern(`\bwhat is wrong\b`), suggestion: `"the problem", "what failed"`,
		reason: "a message states the problem",
	},
	{
		name: "anew", in: anywhere, pattern: pattern(`\b(anew|afresh)\b`), suggestion: `"again"`,
		reason: "it is a literary form",
	},
	{
		name: "want-of", in: anywhere, pattern: pattern(`\b(for|in) want of\b`), suggestion: `"because ... is missing"`,
		reason: "it is a literary form",
	},
	{
		name: "of-now", in: anywhere, pattern: pattern(`\b(that|those|the one|the ones) of now\b`), suggestion: `"the current one"`,
		reason: "the field says current",
	},
	{
		name: "in-vain", in: anywhere, pattern: pattern(`\bin vain\b`), suggestion: `"fails", "without effect"`,
		reason: "it is a literary form",
	},
	{
		name: "at-an-end", in: anywhere, pattern: pattern(`\bat an end\b`), suggestion: `"finished"`,
		reason: "operations finish",
	},
	{
		name: "no-more", in: anywhere, pattern: pattern(`\b(is|are|was|were) (no more|not any more)\b`), suggestion: `"no longer exists", "no longer"`,
		reason: `"is no more" is a literary form`,
	},
	{
		name: "there", in: anywhere, pattern: pattern(`\b(that|which|who) (is|are) (not )?there\b`), suggestion: `"that exists", "missing"`,
		reason: "things exist or are missing",
	},
	{
		name: "git-here", in: anywhere, pattern: pattern(`\bthe git (here|of this machine)\b`), suggestion: `"the local git"`,
		reason: `the pair is "local" and "remote"`,
	},
	{
		name: "but-for", in: anywhere, pattern: pattern(`\b(but|save) for\b`), suggestion: `"except", "except for"`,
		reason: "exceptions are easier to see with the plain word",
	},
	{
		name: "spelling", in: anywhere, pattern: pattern(`\b(colour|behaviour|favour|honour|neighbour|flavour|centre|licence|artefact|catalogue|dialogue|whilst|amongst|learnt|spelt|` +
			`(un|de|re)?(recogni|initiali|seriali|normali|optimi|organi|authori|finali|minimi|maximi|summari|customi|synchroni|prioriti|parametri|capitali|generali|speciali|utili)s(e|es|ed|ing|ation|er)|` +
			`analys(e|es|ed|ing)|labell(ed|ing)|travell(ed|ing)|modell(ed|ing)|signall(ed|ing))(s|ed|ing|ful|al|able)?\b`),
		suggestion: "use the American spelling",
		reason:     "this repository uses American spelling, except for the names that others have given",
		// what NixOS calls the variants of a system
		allow: func(_, match, _ string) bool { return strings.HasPrefix(strings.ToLower(match), "specialisation") },
	},
	{
		name: "where", in: sentence,
		pattern: pattern(`[,;] where (it|there|they|the|no|a|an|one|none|that|this) |` +
			`\b(nil|""|0|none|empty|zero|true|false) where |` +
			`([.:]|^|\n\n) ?where (it|there|they|no|one|none|that|this) `),
		suggestion: `"if", "when"; keep "where" for places`,
		allow:      func(_, _, after string) bool { return place.MatchString(after) },
		reason:     `"where" for a condition reads as mathematics; a condition is "if" or "when"`,
	},
}

// formRules describe the checks that are not patterns.
var formRules = []rule{
	{name: "wrap", reason: "comments wrap at 100 columns (a tab is 4), in Go, shell and Nix"},
	{name: "doc", reason: "a doc comment starts with the name that it documents, as in the Go standard library"},
	{name: "doc-verb", reason: `a function does something: "Foo returns the bar", not "Foo is the bar"`},
	{name: "ignore", reason: "a directive to ignore a line says why"},
}

// existential matches text after which "is no" is good English.
var existential = regexp.MustCompile(`(?i)\b(there|here|such|why)\s+$`)

// place matches what makes a preceding "where it" a place.
var place = regexp.MustCompile(`^(enters?|lives?|runs?|belongs?|starts?|ends?|(is|are) (used|declared|defined|stored))\b`)

// quoted allows a match in quotes of its own, such as the user name `nobody`, a string that
// consists of nothing else, and "user nobody".
func quoted(before, _, after string) bool {
	const quotes = "\"'`"
	if before == "" && after == "" || strings.HasSuffix(before, "user ") {
		return true
	}
	return before != "" && after != "" &&
		strings.IndexByte(quotes, before[len(before)-1]) >= 0 && before[len(before)-1] == after[0]
}

// last returns the last of words, in lower case.
func last(words []string) string { return strings.ToLower(words[len(words)-1]) }
