package tui

import (
	"image/color"
	"math"
)

// minContrast is the contrast ratio of normal text that WCAG 2.2 requires at level AA (success
// criterion 1.4.3).
const minContrast = 4.5

// legible returns the color closest to c, as the terminal can show it, that has enough contrast
// with every background of the palette. It keeps the hue. If the backgrounds are not known, it
// changes nothing.
func (p Palette) legible(c color.Color) color.Color {
	const steps = 20
	for step := range steps + 1 {
		shown := p.profile.Convert(mix(c, p.extreme, float64(step)/steps))
		if p.contrast(shown) >= minContrast || step == steps {
			return shown
		}
	}
	return nil // not reached
}

// contrast returns the lowest contrast ratio of a color with the backgrounds of the palette.
func (p Palette) contrast(c color.Color) float64 {
	lowest := math.Inf(1)
	for _, b := range p.backgrounds {
		lowest = min(lowest, contrastRatio(c, b))
	}
	return lowest
}

// mix returns a color between a and b. share is the share of b, from 0 to 1.
func mix(a, b color.Color, share float64) color.Color {
	if share == 0 {
		return a
	}
	between := func(a, b uint32) uint8 {
		return uint8(math.Round((float64(a>>8)*(1-share) + float64(b>>8)*share)))
	}
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	return color.RGBA{R: between(ar, br), G: between(ag, bg), B: between(ab, bb), A: 0xff}
}

// contrastRatio returns the contrast ratio of two colors, from 1 to 21, as WCAG 2.2 defines it.
func contrastRatio(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance returns the relative luminance of a color, from 0 to 1, as WCAG 2.2 defines it.
func luminance(c color.Color) float64 {
	linear := func(v uint32) float64 {
		s := float64(v>>8) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
