package clean

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLineKeepsVisibleText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain ASCII", "building hello-2.12", "building hello-2.12"},
		{"other scripts", "größer 日本 שלום", "größer 日本 שלום"},
		{"joined emoji", "👨‍👩‍👧 ok", "👨‍👩‍👧 ok"},
		{"an emoji variation", "❤️", "❤️"},
		{"CRLF", "done\r", "done"},
		{"doubled CR from a pty", "done\r\r", "done"},
		{"the last state of a progress bar", " 10%\r 50%\r100%", "100%"},
		{"the last state, followed by CRLF", " 10%\r100%\r", "100%"},
		{"colors", "\x1b[1;31merror:\x1b[0m no", "error: no"},
		{"a cursor movement with intermediates", "a\x1b[?25 lb", "ab"},
		{"a truncated sequence", "half\x1b[12", "half"},
		{"a lone escape", "a\x1b", "a"},
		{"a character set change", "a\x1b(Bb", "ab"},
		{"a two-byte escape", "a\x1bcb", "ab"},
		{"window title terminated by BEL", "a\x1b]0;title\x07b", "ab"},
		{"clipboard terminated by ST", "a\x1b]52;c;aGk=\x1b\\b", "ab"},
		{"window title in another script", "a\x1b]0;größe ”\x07b", "ab"},
		{"a hyperlink", "\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\", "text"},
		{"a device control string", "a\x1bPq#0\x1b\\b", "ab"},
		{"a string interrupted by another sequence", "a\x1b]0;t\x1b[31mb", "ab"},
		{"8-bit CSI as a byte", "a\x9b31mb", "ab"},
		{"8-bit CSI as a code point", "a\u009b31mb", "ab"},
		{"8-bit OSC", "a\u009d0;t\u009cb", "ab"},
		{"another C1 control", "a\u0085b", "ab"},
		{"tabs", "a\tb\t\tc", "a       b               c"},
		{"a tab at a stop", "12345678\tx", "12345678        x"},
		{"control characters", "a\x00\x07\x08\x7fb\nc", "abc"},
		{"bidi overrides", "a\u202egnp.exe\u202c \u2066x\u2069\u200f\u061c", "agnp.exe x"},
		{"zero width characters", "a\u200b\ufeff\u2060b", "ab"},
		{"line and paragraph separators", "a\u2028b\u2029c", "abc"},
		{"hidden tags", "a\U000e0041\U000e0042b\U000e0100", "ab"},
		{"a run of invalid UTF-8", "a\xff\xfe\xc3b", "a�b"},
		{"a workflow command", "::error file=a,line=1::b", ": :error file=a,line=1::b"},
		{"an indented workflow command", " \t::Add-Mask::x", "        : :Add-Mask::x"},
		{"a hidden workflow command", "\x1b[m:\x00:set-output name=a::b", ": :set-output name=a::b"},
		{"a workflow command behind a word", "text=::warning::x", "text=: :warning::x"},
		{"a workflow command in brackets", "a ##[group]b ##vso[task.complete]", "a ## [group]b ## vso[task.complete]"},
		{"a broken command in brackets", "#\x00#\u202e[error]", "## [error]"},
		{"paths and addresses", "std::error::Error at ::1, a::warning b ## c", "std::error::Error at ::1, a::warning b ## c"},
		{"empty", "", ""},
		{"a password in a URL", "fatal: https://me:s3cret@example.org/x failed", "fatal: https://me:***@example.org/x failed"},
		{"a hidden password", "ssh://me:s3\x1b[0mcret@h/x", "ssh://me:***@h/x"},
		{"a token in a URL", "https://ghp_0123456789abcdefghij@github.com/x", "https://***@github.com/x"},
		{"a user in a URL", "https://me@example.org/x ssh://git@h:22/x git@h:x me@h", "https://me@example.org/x ssh://git@h:22/x git@h:x me@h"},
	} {
		if got := Line([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Line(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestLineTruncatesWithEllipsis(t *testing.T) {
	for _, r := range []string{"a", "ä", "\t"} {
		got := Line([]byte(strings.Repeat(r, 2*MaxRunes)))
		if n := utf8.RuneCountInString(got); n != MaxRunes || !strings.HasSuffix(got, "…") {
			t.Errorf("a long line of %q: %d runes ending in %q", r, n, got[len(got)-8:])
		}
	}
	whole := strings.Repeat("ä", MaxRunes)
	if Line([]byte(whole)) != whole {
		t.Error("a line of MaxRunes was truncated")
	}
}

func TestTextKeepsLines(t *testing.T) {
	if got, want := Text("a\r\n\x1b[31mb\n\nc\n"), "a\nb\n\nc\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlainLineAllocatesOnce(t *testing.T) {
	line := []byte(strings.Repeat("copying path ", 8))
	if n := testing.AllocsPerRun(100, func() { _ = Line(line) }); n > 1 {
		t.Errorf("Line: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = Bytes(line) }); n > 0 {
		t.Errorf("Bytes: %v allocations", n)
	}
}

func TestEveryByteIsCleanedAtEveryPosition(t *testing.T) {
	for length := 1; length <= 20; length++ {
		for i := range length {
			for c := range 256 {
				line := bytes.Repeat([]byte{'~'}, length)
				line[i] = byte(c)
				unchanged := c >= 0x20 && c <= 0x7e
				if _, special := scan(line); special != (c == ':' || c == '#') && unchanged {
					t.Fatalf("%q: special is %v", line, special)
				}
				if got := string(Bytes(line)); (got == string(line)) != unchanged || got != Line(line) {
					t.Fatalf("%q became %q", line, got)
				}
			}
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "plain", "a\tb\rc\r", "\x1b[1;31mred\x1b[0m", "\x1b]0;t\x07", "\u009b1m", "\x9d\x9c", "\u202e", "\xff\xc2", "👨‍👩‍👧", "\x1b(B", "::error::x", " #\x00#[group]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := Line(in)
		if got := string(Bytes(in)); got != out {
			t.Fatalf("Line(%q) = %q, but Bytes returns %q", in, out, got)
		}
		if !utf8.ValidString(out) || utf8.RuneCountInString(out) > MaxRunes {
			t.Fatalf("Line(%q): %d runes, valid UTF-8: %v", in, utf8.RuneCountInString(out), utf8.ValidString(out))
		}
		for _, r := range out {
			if r < 0x20 || r >= 0x7f && r <= 0x9f || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
				t.Fatalf("Line(%q) = %q contains %U", in, out, r)
			}
		}
		if line := strings.TrimSpace(out); strings.HasPrefix(line, "::error::") || strings.Contains(line, "##[") {
			t.Fatalf("Line(%q) = %q is a workflow command", in, out)
		}
		if again := Line([]byte(out)); again != out {
			t.Fatalf("Line(%q) = %q, but cleaning it again returns %q", in, out, again)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	for name, in := range map[string]string{
		"plain": "copying path '/nix/store/3n9kq6lqvjx5-hello-2.12' from 'https://cache.nixos.org'...",
		"color": "\x1b[1mcopying\x1b[0m path '/nix/store/3n9kq6lqvjx5-hello-2.12' from 'https://cache.nixos.org'...",
	} {
		b.Run(name, func(b *testing.B) {
			line := []byte(in)
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				_ = Line(line)
			}
		})
	}
}
