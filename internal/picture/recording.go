package picture

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Recording is a sequence of screens of one size.
type Recording struct {
	Colors Colors

	width, height int
	frames        []frame
}

// A frame is what the screen shows from a time on.
type frame struct {
	at   time.Duration
	runs []run
}

// Add appends what the screen shows from a time on, which must not be before that of the last call.
func (r *Recording) Add(at time.Duration, s Screen) {
	r.width, r.height = s.Width(), s.Height()
	next := runs(s, r.Colors)
	if n := len(r.frames); n > 0 && slices.Equal(r.frames[n-1].runs, next) {
		return
	}
	r.frames = append(r.frames, frame{at, next})
}

// A span is a time in which something is visible, as the indexes of its first frame and of the one
// after its last.
type span struct{ from, to int }

// SVG returns the recording as an SVG document that plays until end, and then starts again. To
// readers who prefer no motion it shows a single frame, that of the time still.
func (r *Recording) SVG(end, still time.Duration) string {
	shown := 0
	for i, f := range r.frames {
		if f.at <= still {
			shown = i
		}
	}
	groups, order := r.spans()

	var style strings.Builder
	fmt.Fprintf(&style, "<style>\n.f{animation:%.1fs step-end infinite}\n", end.Seconds())
	for i, s := range order {
		if s == (span{0, len(r.frames)}) {
			continue
		}
		fmt.Fprintf(&style, "@keyframes k%d{", i)
		if s.from > 0 {
			style.WriteString("0%{visibility:hidden}")
		}
		fmt.Fprintf(&style, "%s{visibility:visible}", r.percent(s.from, end))
		if s.to < len(r.frames) {
			fmt.Fprintf(&style, "%s{visibility:hidden}", r.percent(s.to, end))
		}
		style.WriteString("}\n")
	}
	style.WriteString("@media (prefers-reduced-motion:reduce){.f{animation:none!important;visibility:hidden}.s{visibility:visible}}\n</style>\n")

	var b strings.Builder
	begin(&b, r.width, r.height, r.Colors, style.String())
	for i, s := range order {
		if s == (span{0, len(r.frames)}) {
			b.WriteString("<g>\n")
		} else {
			class := "f"
			if s.from <= shown && shown < s.to {
				class = "f s"
			}
			fmt.Fprintf(&b, `<g class="%s" style="animation-name:k%d">`+"\n", class, i)
		}
		for _, run := range groups[s] {
			run.draw(&b)
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// spans returns the runs by the time in which they are visible, and these times in order.
func (r *Recording) spans() (groups map[span][]run, order []span) {
	groups = make(map[span][]run)
	since := make(map[run]int)
	finish := func(run run, to int) {
		s := span{since[run], to}
		groups[s] = append(groups[s], run)
		delete(since, run)
	}
	var before []run
	for i, f := range append(slices.Clone(r.frames), frame{}) {
		visible := make(map[run]bool)
		for _, run := range f.runs {
			visible[run] = true
		}
		for _, run := range before {
			if !visible[run] {
				finish(run, i)
			}
		}
		for _, run := range f.runs {
			if _, ok := since[run]; !ok {
				since[run] = i
			}
		}
		before = f.runs
	}
	for s := range groups {
		order = append(order, s)
	}
	slices.SortFunc(order, func(a, b span) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return a.to - b.to
	})
	return groups, order
}

// percent returns when a frame starts, as a part of the whole.
func (r *Recording) percent(i int, end time.Duration) string {
	return fmt.Sprintf("%.2f%%", 100*r.frames[i].at.Seconds()/end.Seconds())
}
