package tui

import "github.com/markus-barta/nixfleet/fleet/health"

// cellGlyphs paints the glyph of each cell value once: every row has four of them.
func cellGlyphs(p Palette) [health.NumCells]string {
	return [...]string{
		health.CellUnknown: p.Faint.Paint("?"),
		health.CellGood:    p.Good.Paint("✓"),
		health.CellBehind:  p.Warn.Paint("↓"),
		health.CellBroken:  p.Bad.Paint("✗"),
		health.CellBusy:    p.Busy.Paint("▸"),
		health.CellNone:    p.Faint.Paint("-"),
	}
}
