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
	p := Palette{profile: profile}
	if profile < colorprofile.ASCII {
		return p
	}
	p.Strong = newInk(lipgloss.NewStyle().Bold(true))
	p.Faint = newInk(lipgloss.NewStyle().Faint(true))
	p.Here = newInk(lipgloss.NewStyle().Reverse(true))
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
	switch t {
	case Vivid:
		rgb := func(onDark, onLight uint32) color.Color { return pick(hexColor(onDark), hexColor(onLight)) }
		p.Good = p.color(rgb(0x7ee2a8, 0x0f7b45))
		p.Warn = p.color(rgb(0xf2c661, 0x8a5a00))
		p.Bad = p.color(rgb(0xff7a85, 0xb3122a))
		p.Busy = p.color(rgb(0x6fb7ff, 0x0b5cad))
		p.Faint = p.color(rgb(0x7c8798, 0x66707f))
		p.Here = p.under(rgb(0x26324a, 0xdde7f7))
		p.Match = p.under(rgb(0x6b5310, 0xffe08a))
	case Contrast:
		bold := func(c color.Color) Ink {
			return newInk(lipgloss.NewStyle().Bold(true).Foreground(profile.Convert(c)))
		}
		p.Good = bold(pick(ansi.BrightGreen, ansi.Green))
		p.Warn = bold(pick(ansi.BrightYellow, ansi.Magenta))
		p.Bad = bold(pick(ansi.BrightRed, ansi.Red))
		p.Busy = bold(pick(ansi.BrightCyan, ansi.Blue))
		p.Faint = Ink{}
	default:
		p.Good = p.color(ansi.Green)
		p.Warn = p.color(ansi.Yellow)
		p.Bad = p.color(ansi.Red)
		p.Busy = p.color(ansi.Cyan)
		if profile >= colorprofile.ANSI256 {
			p.Here = p.under(pick(ansi.IndexedColor(237), ansi.IndexedColor(253)))
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
