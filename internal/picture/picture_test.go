package picture

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
)

// show returns a screen with text.
func show(text string) Screen {
	emu := vt.NewEmulator(20, 3)
	emu.WriteString(strings.ReplaceAll(text, "\n", "\r\n"))
	return emu
}

// wellFormed fails the test unless the document is XML.
func wellFormed(t *testing.T, document string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
	}
}

func TestStillShowsTextWithItsColors(t *testing.T) {
	svg := Still(show("pl  ain  \x1b[1;38;2;255;0;16mred & bold\x1b[0m\n  \x1b[7mreverse\x1b[0m"), Dark)
	wellFormed(t, svg)
	for _, want := range []string{
		` xml:space="preserve">pl  ain</text>`,
		`<text x="89.6" y="27" textLength="84.0" fill="#ff0010" font-weight="bold">red &amp; bold</text>`,
		`<rect x="30.8" y="32" width="58.8" height="18" fill="#d6deeb"/>`,
		`fill="#10141c">reverse</text>`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture lacks %s:\n%s", want, svg)
		}
	}
}

// TestRecordingShowsEachTextInItsTime has one text that stays, one in the middle and one at the
// end.
func TestRecordingShowsEachTextInItsTime(t *testing.T) {
	r := &Recording{Colors: Dark}
	r.Add(0, show("stays\n"))
	r.Add(time.Second, show("stays\nmiddle"))
	r.Add(2*time.Second, show("stays\nmiddle")) // nothing new
	r.Add(3*time.Second, show("stays\n\nend"))
	svg := r.SVG(4*time.Second, 2*time.Second)
	wellFormed(t, svg)
	for _, want := range []string{
		".f{animation:4.0s step-end infinite}",
		"{0%{visibility:hidden}25.00%{visibility:visible}75.00%{visibility:hidden}}",
		"{0%{visibility:hidden}75.00%{visibility:visible}}",
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the recording lacks %s:\n%s", want, svg)
		}
	}
	groups := strings.Split(svg, "<g")
	if len(groups) != 4 || !strings.HasPrefix(groups[1], ">") || !strings.Contains(groups[1], "stays") ||
		!strings.Contains(groups[2], `class="f s"`) || !strings.Contains(groups[2], "middle") ||
		!strings.Contains(groups[3], `class="f"`) || !strings.Contains(groups[3], "end") {
		t.Errorf("the groups are\n%s", strings.Join(groups, "\n--\n"))
	}
}
