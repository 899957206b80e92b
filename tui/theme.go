package tui

import (
	"image/color"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// Theme is the name of a set of colors.
type Theme string

const (
	Terminal Theme = "terminal" // the sixteen colors of the terminal
	Vivid    Theme = "vivid"    // 24-bit colors, for dark and for light backgrounds
	Contrast Theme = "contrast" // bright and bold, nothing faint
	Plain    Theme = "plain"    // no colors
)

// Themes lists all themes, the default first.
var Themes = []Theme{Terminal, Vivid, Contrast, Plain}

// Palette returns the theme's inks for what a terminal can show, on a dark or a light background.
func (t Theme) Palette(profile colorprofile.Profile, dark bool) Palette {
	if t == Plain {
		profile = min(profile, colorprofile.ASCII)
	}
	p := Palette{profile: profile, extreme: color.Black}
	if dark {
		p.extreme = color.White
	}
	if profile < colorprofile.ASCII {
		return p
	}
	p.Strong = newInk(lipgloss.NewStyle().Bold(true))
	p.Faint = newInk(lipgloss.NewStyle().Faint(true))
	p.Here = newInk(lipgloss.NewStyle().Reverse(true))
	p.Here.reversed = true
	p.Match, p.Cursor = p.Here, p.Here
	if profile < colorprofile.ANSI {
		return p
	}
	pick := func(onDark, onLight color.Color) color.Color {
		if dark {
			return onDark
		}
		return onLight
	}
	rgb := func(onDark, onLight uint32) color.Color { return pick(hexColor(onDark), hexColor(onLight)) }
	// Terminals with a dark background are rarely lighter than this, and the others rarely darker.
	p.backgrounds = []color.Color{rgb(0x282c34, 0xf5f5f5)}
	here := func(c color.Color) {
		p.Here = p.under(c)
		p.backgrounds = append(p.backgrounds, c)
	}
	gray := pick(ansi.IndexedColor(236), ansi.IndexedColor(254))
	switch t {
	case Vivid:
		if profile == colorprofile.TrueColor {
			here(rgb(0x26324a, 0xdde7f7))
		} else {
			here(gray) // the closest of 256 colors is far from those
		}
		ink := func(onDark, onLight uint32) Ink { return p.color(p.legible(rgb(onDark, onLight))) }
		p.Good = ink(0x7ee2a8, 0x0f7b45)
		p.Warn = ink(0xf2c661, 0x8a5a00)
		p.Bad = ink(0xff7a85, 0xb3122a)
		p.Busy = ink(0x6fb7ff, 0x0b5cad)
		p.Faint = ink(0x98a3b5, 0x66707f)
		p.Match = p.under(rgb(0x6b5310, 0xffe08a))
	case Contrast:
		bold := func(c color.Color) Ink {
			return newInk(lipgloss.NewStyle().Bold(true).Foreground(profile.Convert(c)))
		}
		p.Faint = Ink{}
		if profile < colorprofile.ANSI256 {
			p.Good = bold(pick(ansi.BrightGreen, ansi.Green))
			p.Warn = bold(pick(ansi.BrightYellow, ansi.Magenta))
			p.Bad = bold(pick(ansi.BrightRed, ansi.Red))
			p.Busy = bold(pick(ansi.BrightCyan, ansi.Blue))
			break
		}
		p.Good = bold(rgb(0x87ff87, 0x005f00))
		p.Warn = bold(rgb(0xffff5f, 0x5f2f00))
		p.Bad = bold(rgb(0xffafaf, 0x870000))
		p.Busy = bold(rgb(0x87ffff, 0x00005f))
		here(rgb(0x444444, 0xd0d0d0))
	default:
		p.Good = p.color(ansi.Green)
		p.Warn = p.color(ansi.Yellow)
		p.Bad = p.color(ansi.Red)
		p.Busy = p.color(ansi.Cyan)
		if profile >= colorprofile.ANSI256 {
			here(gray)
		}
	}
	return p
}

func (p Palette) under(c color.Color) Ink {
	return newInk(lipgloss.NewStyle().Background(p.profile.Convert(c)))
}

func hexColor(rgb uint32) color.Color {
	return color.RGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: 0xff}
}
