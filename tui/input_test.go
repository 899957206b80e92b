package tui

import "testing"

func TestInputEdits(t *testing.T) {
	for _, test := range []struct {
		keys []string
		want string // with the cursor as |
	}{
		{[]string{"left", "x"}, "one twx|o"},
		{[]string{"right", "x"}, "one twox|"},
		{[]string{"home", "left", "x"}, "x|one two"},
		{[]string{"ctrl+a", "right", "x"}, "ox|ne two"},
		{[]string{"ctrl+a", "end", "x"}, "one twox|"},
		{[]string{"ctrl+a", "ctrl+f", "ctrl+b", "ctrl+e", "x"}, "one twox|"},
		{[]string{"backspace"}, "one tw|"},
		{[]string{"home", "backspace"}, "|one two"},
		{[]string{"home", "delete"}, "|ne two"},
		{[]string{"delete"}, "one two|"},
		{[]string{"left", "left", "left", "ctrl+u"}, "|two"},
		{[]string{"ctrl+w"}, "one |"},
		{[]string{"space", "space", "ctrl+w"}, "one |"},
		{[]string{"ctrl+w", "ctrl+w", "ctrl+w"}, "|"},
		{[]string{"left", "ctrl+w"}, "one |o"},
	} {
		var in input
		in.set("one two")
		for _, key := range test.keys {
			if !in.key(keyPress(key)) {
				t.Errorf("%q is not an editing key", key)
			}
		}
		if got := string(in.runes[:in.at]) + "|" + string(in.runes[in.at:]); got != test.want {
			t.Errorf("%v: got %q, want %q", test.keys, got, test.want)
		}
	}
}

func TestInputIgnoresKeysWithoutText(t *testing.T) {
	var in input
	if in.key(keyPress("pgup")) || in.text() != "" {
		t.Errorf("pgup was handled, and the text is %q", in.text())
	}
	if in.insert("a\x1b\tb\u202e"); in.text() != "ab" {
		t.Errorf("the text is %q", in.text())
	}
}

func TestInputDrawsCursor(t *testing.T) {
	in := input{runes: []rune("abc"), at: 1}
	if got := in.draw(&Palette{}, false); got != "a▏bc" {
		t.Errorf("got %q", got)
	}
	if got := in.draw(&Palette{}, true); got != "•▏••" {
		t.Errorf("hidden: got %q", got)
	}
	in.at = 3
	if got := in.draw(&Palette{}, false); got != "abc▏" {
		t.Errorf("at the end: got %q", got)
	}
	p := &Palette{Cursor: Ink{on: "<"}}
	if got := in.draw(p, false); got != "abc"+p.Cursor.Paint(" ") {
		t.Errorf("with an ink: got %q", got)
	}
}
