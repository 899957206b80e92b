package inventory

import (
	"strings"
	"testing"
)

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abc", "abd", 1},
		{"abc", "ab", 1},
		{"abc", "bc", 1},
		{"ab", "ba", 1},
		{"tgas", "tags", 1},
		{"abcd", "badc", 2},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3}, // a swapped pair is not edited again
	} {
		if got := editDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: got %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for _, tt := range []struct {
		word  string
		words string
		want  string
	}{
		{"tgas", "tags wave", `did you mean "tags"?`},
		{"TAGS", "tags wave", `did you mean "tags"?`},
		{"abc", "xyz", ""},
		{"", "abc", ""},
		{"", "a", `did you mean "a"?`},
		{"abd", "abc abe abf", `did you mean "abc", "abe" or "abf"?`},
		{"abd", "abc abe abf abg", `did you mean "abc", "abe" or "abf"?`}, // no more than three
		{"abcdef", "abcdxy abcdex", `did you mean "abcdex" or "abcdxy"?`}, // most similar first
		// One edit is allowed for each three characters, but at least one.
		{"ab", "xb xy", `did you mean "xb"?`},
		{"abcde", "abcxy", ""},
		{"abcde", "abcxe", `did you mean "abcxe"?`},
		{"abcdef", "abcdxy", `did you mean "abcdxy"?`},
		{"abcdef", "abcxyz", ""},
		{"abcdef", "abxy", ""},
		{"abcdef", "abcd", `did you mean "abcd"?`},
		{"abcdef", "xabcdefx", `did you mean "xabcdefx"?`},
		// A word that contains another one is similar to it if both have at least three characters.
		{"home-manager", "home", `did you mean "home"?`},
		{"csb", "csb-01-vienna", `did you mean "csb-01-vienna"?`},
		{"cs", "cs-01-vienna", ""},
		{"home-manager", "ho", ""},
		{"abcdefgh", "abc", `did you mean "abc"?`},
		// An exact match is closer than one that contains the word.
		{"csb", "xcsbx csa", `did you mean "xcsbx" or "csa"?`},
		{"csbs", "xcsbsx csbs", `did you mean "csbs" or "xcsbsx"?`},
	} {
		if got := DidYouMean(tt.word, strings.Fields(tt.words)); got != tt.want {
			t.Errorf("%q, %s: got %s, want %s", tt.word, tt.words, got, tt.want)
		}
	}
}

func TestOneOf(t *testing.T) {
	for want, words := range map[string][]string{
		``:                  nil,
		`"a"`:               {"a"},
		`"a" or "b"`:        {"a", "b"},
		`"a", "b" or "c\n"`: {"a", "b", "c\n"},
	} {
		if got := oneOf(words); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestQuoteShortensLongStrings(t *testing.T) {
	for s, want := range map[string]string{
		"a\x1b\"b":               `"a\x1b\"b"`,
		strings.Repeat("ö", 60):  `"` + strings.Repeat("ö", 60) + `"`,
		strings.Repeat("ö", 61):  `"` + strings.Repeat("ö", 60) + `..."`,
		strings.Repeat("ö", 100): `"` + strings.Repeat("ö", 60) + `..."`,
	} {
		if got := quote(s); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
