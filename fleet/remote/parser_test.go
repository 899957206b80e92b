package remote

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

const nonce = "00112233445566778899aabbccddeeff"

// read parses a log that comes in pieces of at most size bytes.
func read(log string, size int) []Item {
	var items []Item
	p := NewParser(nonce, func(i Item) { items = append(items, i) })
	for log != "" {
		n := min(size, len(log))
		_, _ = p.Write([]byte(log[:n]))
		log = log[n:]
	}
	p.Close()
	return items
}

func texts(items []Item) []string {
	var out []string
	for _, i := range items {
		if i.Kind == Output {
			out = append(out, i.Text)
		}
	}
	return out
}

func TestParserReadsMarkers(t *testing.T) {
	log := nonce + " step pull start\n" +
		nonce + " fact pull advanced 3\n" +
		nonce + " note a word\n" +
		nonce + " warn take care\n" +
		nonce + " step pull ok\n" +
		nonce + " end degraded units verify switched, but units failed: a.service\n"
	want := []Item{
		{Kind: StepItem, Step: "pull", Word: "start"},
		{Kind: FactItem, Key: "pull", Text: "advanced 3"},
		{Kind: NoteItem, Text: "a word"},
		{Kind: WarnItem, Text: "take care"},
		{Kind: StepItem, Step: "pull", Word: "ok"},
		{Kind: EndItem, Word: "degraded", Code: "units", Step: "verify", Text: "switched, but units failed: a.service"},
	}
	if got := read(log, len(log)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParserFindsMarkerAfterOutputWithoutNewline(t *testing.T) {
	got := read("no newline here"+nonce+" end switched - verify fine\n", 1<<20)
	if len(got) != 2 || got[0].Text != "no newline here" || got[1].Kind != EndItem || got[1].Code != "" {
		t.Errorf("got %+v", got)
	}
}

func TestParserRejectsForgedMarkers(t *testing.T) {
	for _, line := range []string{"end switched - verify fine", "ffffffffffffffffffffffffffffffff end switched - verify fine", nonce[:31] + " end switched - verify fine", nonce} {
		for _, item := range read(line+"\n", 1<<20) {
			if item.Kind != Output {
				t.Errorf("%q was taken for %+v", line, item)
			}
		}
	}
}

func TestParserDoesNotDependOnPieces(t *testing.T) {
	log := "hello\r\n" + nonce + " step build start\nwörld \x1b[31mred\x1b[0m\n" +
		`@nix {"action":"start","id":7,"level":3,"parent":0,"text":"building 'x'","type":105,"fields":["/nix/store/abc-hello.drv","",1,1]}` + "\n" +
		`@nix {"action":"result","id":7,"type":101,"fields":["compiling"]}` + "\n" +
		strings.Repeat("long ", 100_000) + nonce + " end failed build build no\nlast words"
	want := read(log, len(log))
	for range 50 {
		size := 1 + rand.IntN(3000)
		if got := read(log, size); !reflect.DeepEqual(got, want) {
			t.Fatalf("in pieces of %d bytes, the items differ", size)
		}
	}
	if end := want[len(want)-2]; end.Kind != EndItem {
		t.Errorf("the end marker after a long line is missing: %+v", end)
	}
}

func TestParserLimitsLineLength(t *testing.T) {
	var items []Item
	p := NewParser(nonce, func(i Item) { items = append(items, i) })
	piece := []byte(strings.Repeat("x", 1<<20))
	for range 100 {
		_, _ = p.Write(piece)
	}
	if c := cap(p.line); c > 4<<20 {
		t.Errorf("%d bytes are held of a line of 100 MiB", c)
	}
	_, _ = p.Write([]byte("\nnext\n"))
	if got := texts(items); len(got) != 2 || got[1] != "next" {
		t.Errorf("got %d lines of a long line and a short one", len(got))
	}
}

func TestParserReportsBuildProgress(t *testing.T) {
	var last NixProgress
	var lines []string
	p := NewParser(nonce, func(i Item) {
		switch i.Kind {
		case Progress:
			last = i.Progress
		case Output:
			lines = append(lines, i.Text)
		}
	})
	say := func(format string, a ...any) { fmt.Fprintf(p, "@nix "+format+"\n", a...) }

	say(`{"action":"start","id":1,"level":0,"parent":0,"text":"","type":104}`)
	say(`{"action":"start","id":2,"level":0,"parent":0,"text":"","type":103}`)
	say(`{"action":"result","id":1,"type":105,"fields":[0,3,0,0]}`)
	say(`{"action":"result","id":2,"type":105,"fields":[1,4,0,0]}`)
	say(`{"action":"start","id":18446744073709551615,"level":3,"parent":1,"text":"building hello","type":105,"fields":["/nix/store/abc-hello-2.12.drv","",1,1]}`)
	say(`{"action":"result","id":18446744073709551615,"type":104,"fields":["buildPhase"]}`)
	say(`{"action":"result","id":18446744073709551615,"type":101,"fields":["cc -o hello"]}`)
	want := NixProgress{Builds: 0, BuildsExpected: 3, Copies: 1, CopiesExpected: 4, Building: "hello-2.12", Phase: "buildPhase"}
	if last != want {
		t.Errorf("got %+v, want %+v", last, want)
	}
	say(`{"action":"stop","id":18446744073709551615}`)
	say(`{"action":"result","id":1,"type":105,"fields":[2,2,0,0]}`) // less expected than before
	say(`{"action":"stop","id":1}`)
	if last.Builds != 2 || last.BuildsExpected != 2 {
		t.Errorf("builds are %d of %d after the end, want 2 of 2", last.Builds, last.BuildsExpected)
	}
	if want := []string{"building hello", "hello-2.12> cc -o hello"}; !reflect.DeepEqual(lines, want) {
		t.Errorf("lines are %q, want %q", lines, want)
	}
}

func TestParserTakesReasonOfFailedBuildFromNix(t *testing.T) {
	got := read(`@nix {"action":"msg","level":0,"msg":"\u001b[31;1merror:\u001b[0m\n       … while evaluating\n\n       error: attribute 'tpyo' missing"}`+"\n"+
		nonce+" end failed build build nix build exited with 1\n", 1<<20)
	if end := got[len(got)-1]; end.Text != "attribute 'tpyo' missing" {
		t.Errorf("the reason is %q", end.Text)
	}
}

func TestParserPassesInvalidNixMessagesOn(t *testing.T) {
	if got := texts(read("@nix {not json\n@nix\n", 1<<20)); !reflect.DeepEqual(got, []string{"@nix {not json", "@nix"}) {
		t.Errorf("got %q", got)
	}
}

func FuzzParser(f *testing.F) {
	f.Add("hello\n"+nonce+" end switched - verify x\n", 3)
	f.Add(`@nix {"action":"result","id":1,"type":105,"fields":[1,"x",-1]}`+"\n", 7)
	f.Add(`@nix {"action":"start","id":1,"type":105,"fields":["\u001b]0;x"]}`+"\n"+nonce+" step a b\n", 7)
	f.Fuzz(func(t *testing.T, log string, size int) {
		for _, item := range read(log, 1+(size&0xfff)) {
			for _, text := range []string{item.Text, item.Key, item.Code, item.Step, item.Word, item.Progress.Building, item.Progress.Phase} {
				for _, r := range text {
					if r < 0x20 || r >= 0x7f && r < 0xa0 {
						t.Fatalf("%q has %q in it", text, r)
					}
				}
			}
		}
	})
}

func BenchmarkParserPlainLines(b *testing.B) {
	log := []byte(strings.Repeat("building a thing, and saying so in a line of ordinary length\n", 1000))
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		p := NewParser(nonce, func(Item) {})
		_, _ = p.Write(log)
	}
}
