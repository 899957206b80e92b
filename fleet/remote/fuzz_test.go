package remote

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// FuzzStream reads a session whose output arrives in two parts: the header must not depend on where
// it is cut, and only so much may be held.
func FuzzStream(f *testing.F) {
	f.Add([]byte("motd\n@TOKEN following NONCE 12\nlog"), 7)
	f.Add([]byte("@TOKEN @TOKEN refused locked job=a%20b who= text=c d\n"), 2)
	f.Add([]byte("@TOKEN\n@TOKEN tip \x00\xff\n@TOKEN end\n"), 0)
	f.Fuzz(func(t *testing.T, output []byte, cut int) {
		read := func(parts ...[]byte) (header Header, log string, err error) {
			var b bytes.Buffer
			s := NewStream("TOKEN", func(h Header) { header = h }, &b)
			for _, part := range parts {
				if _, err = s.Write(part); err != nil {
					break
				}
			}
			if len(s.before) > MaxHeader {
				t.Fatalf("%d bytes are held", len(s.before))
			}
			return header, b.String(), err
		}
		cut = min(max(cut, 0), len(output))
		whole, log, err := read(output)
		parts, partsLog, partsErr := read(output[:cut], output[cut:])
		if (err == nil) != (partsErr == nil) || whole.Word != parts.Word || whole.Code != parts.Code || whole.Nonce != parts.Nonce || log != partsLog {
			t.Errorf("%+v, %q, %v; in parts %+v, %q, %v", whole, log, err, parts, partsLog, partsErr)
		}
		if text := Reason(whole.Code, whole.Values); text != clean.Line([]byte(text)) {
			t.Errorf("the reason %q is not clean", text)
		}
	})
}

func FuzzParseGenerations(f *testing.F) {
	f.Add([]byte("42 1700000000 3f9c2ab current booted\n41 - -\n"))
	f.Add([]byte("-1 99999999999999999999 \x1b[2J current\n0 0 0\n99999999999999999999 1 x\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		all := ParseGenerations(answer)
		if len(all) > MaxGenerations {
			t.Errorf("%d generations", len(all))
		}
		for _, g := range all {
			if g.Number <= 0 || strings.ContainsFunc(g.Revision, unicode.IsControl) || g.Time.Year() > 9999 {
				t.Errorf("%+v", g)
			}
		}
	})
}
