package tui

import (
	"fmt"
	"image/color"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// TestColorsAreLegible computes the contrast of every character on screens of the real program. The
// sixteen basic colors and faint text are left out: the terminal decides what they look like.
func TestColorsAreLegible(t *testing.T) {
	for _, theme := range Themes {
		for _, light := range []bool{false, true} {
			for _, profile := range []colorprofile.Profile{colorprofile.ANSI256, colorprofile.TrueColor} {
				t.Run(fmt.Sprintf("%s light=%v %s", theme, light, profile), func(t *testing.T) {
					t.Parallel()
					background, text := hexColor(0x282c34), hexColor(0xdcdfe4)
					if light {
						background, text = hexColor(0xf5f5f5), hexColor(0x2a2a2a)
					}
					for _, keys := range [][]string{{"j", "j", "j"}, {"j", "space", "space", "d"}, {"j", "j", "j", "enter"}} {
						s := newScreen(t, 110, 30)
						table := s.startTable(Settings{Theme: theme}, profile, light, scene)
						for _, key := range keys {
							table.program.Send(keyPress(key))
						}
						s.waitFor(t, func(text string) bool { return strings.Contains(text, "csb1") }, "the hosts")
						for problem := range s.illegible(background, text) {
							t.Errorf("%v: %s", keys, problem)
						}
					}
				})
			}
		}
	}
}

// illegible returns the colors on the screen with too little contrast, and an example of each.
func (s *screen) illegible(background, text color.Color) map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]bool{}
	for y := range s.emu.Height() {
		for x := range s.emu.Width() {
			cell := s.emu.CellAt(x, y)
			if cell == nil || strings.TrimSpace(cell.Content) == "" {
				continue
			}
			fg, bg := cell.Style.Fg, cell.Style.Bg
			if _, basic := fg.(ansi.BasicColor); basic {
				continue
			}
			if fg == nil {
				fg = text
			}
			if bg == nil {
				bg = background
			}
			if ratio := contrastRatio(fg, bg); ratio < minContrast {
				found[fmt.Sprintf("%s on %s has a contrast of %.1f", hex(fg), hex(bg), ratio)] = true
			}
		}
	}
	return found
}

func TestLegibleColorKeepsItsHue(t *testing.T) {
	yellow := hexColor(0xd4c060)
	dark, light := Vivid.Palette(colorprofile.TrueColor, true), Vivid.Palette(colorprofile.TrueColor, false)
	if got := dark.legible(yellow); got != yellow {
		t.Errorf("on a dark background, the color is %s", hex(got))
	}
	r, g, b, _ := light.legible(yellow).RGBA()
	if got := light.contrast(light.legible(yellow)); got < minContrast || r < g || g < b {
		t.Errorf("on a light background, the color is %s with a contrast of %.1f", hex(light.legible(yellow)), got)
	}
	unknown := NewPalette(colorprofile.TrueColor)
	if got := unknown.legible(yellow); got != yellow {
		t.Errorf("on an unknown background, the color is %s", hex(got))
	}
}
