package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// watchStatus shows the status of hosts repeatedly until ctx is done. look asks all of them once
// and prints problems to the standard error of the Env that it is given.
func watchStatus(ctx context.Context, env *Env, o statusOptions, inv *inventory.Inventory, look func(context.Context, *Env) statusRound) error {
	var show statusView = &statusLines{env: env}
	switch {
	case o.output == outputJSON:
		show = &statusObjects{env}
	case env.OutTTY && env.Getenv("TERM") != "dumb":
		show = &statusScreen{env: env, interval: o.interval}
	}
	defer show.close()
	var last *statusRound
	reported := ""
	for {
		var problems bytes.Buffer
		quiet := *env
		quiet.Err = &problems
		round := look(ctx, &quiet)
		if ctx.Err() != nil {
			break
		}
		if problems.String() != reported { // not again in each round
			reported = problems.String()
			show.problems(reported)
		}
		if err := show.round(inv, round); err != nil {
			return err
		}
		last = &round
		select {
		case <-ctx.Done():
		case <-time.After(o.interval):
		}
	}
	if last == nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	return exit(statusCode(last.reports, o.exitCode), nil)
}

// statusView shows rounds of status.
type statusView interface {
	problems(text string) // lines about what could not be found out
	round(inv *inventory.Inventory, round statusRound) error
	close()
}

// statusObjects prints a JSON object for each host in each round.
type statusObjects struct{ env *Env }

func (v *statusObjects) problems(text string) { io.WriteString(v.env.Err, text) }
func (v *statusObjects) close()               {}
func (v *statusObjects) round(inv *inventory.Inventory, round statusRound) error {
	return printStatusJSON(v.env, inv, round)
}

// statusLines prints a line for each host that has changed, and at first for all.
type statusLines struct {
	env   *Env
	shown map[string]string // by host: what its last line depends on
}

func (v *statusLines) problems(text string) { io.WriteString(v.env.Err, text) }
func (v *statusLines) close()               {}

func (v *statusLines) round(_ *inventory.Inventory, round statusRound) error {
	if v.shown == nil {
		v.shown = make(map[string]string)
	}
	width := 0
	for _, r := range round.reports {
		width = max(width, len(r.host.Name))
	}
	ink, now := v.env.palette(v.env.OutTTY), v.env.Now()
	for _, r := range round.reports {
		essence := r.essence()
		if v.shown[r.host.Name] == essence {
			continue
		}
		v.shown[r.host.Name] = essence
		text := r.details(now)
		if r.Err != nil && !(r.offline() && r.host.SkipOffline) {
			text = withoutName(r.Err.Error(), r.host)
		}
		line := fmt.Sprintf("%s  %-*s  %s  %s", now.Format(time.DateTime), width, r.host.Name, r.state(ink), text)
		if _, err := fmt.Fprintln(v.env.Out, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// essence returns what a line about the host depends on, without what changes all the time, such as
// figures and ages.
func (r hostReport) essence() string {
	parts := []string{r.State.String(), r.Reason, r.Drift.String()}
	if r.LastRun != nil {
		parts = append(parts, r.LastRun.Time.String())
	}
	if r.Err != nil {
		parts = append(parts, r.Err.Error())
	}
	if r.Health != nil {
		parts = append(parts, r.Health.System.Revision, fmt.Sprint(r.Health.System.Generation))
		if r.Health.Job != nil {
			parts = append(parts, r.Health.Job.Who)
		}
	}
	if r.pending != nil {
		parts = append(parts, r.pending.Run)
	}
	if r.tests != nil {
		parts = append(parts, r.tests.Time.String())
	}
	return strings.Join(parts, "\x00")
}

// statusScreen shows the newest table on the alternate screen of a terminal, and leaves it on the
// main screen at the end. It enters the alternate screen after the first round, in which the
// operator may be prompted for passwords.
type statusScreen struct {
	env      *Env
	interval time.Duration
	problem  string
	entered  bool
	last     string
}

func (v *statusScreen) problems(text string) { v.problem = text }

func (v *statusScreen) round(inv *inventory.Inventory, round statusRound) error {
	frame := &frameBuffer{terminal: v.env.Out}
	env := *v.env
	env.Out, env.Err, env.ErrTTY = frame, frame, env.OutTTY
	if err := printStatus(&env, inv, round); err != nil {
		return err
	}
	v.last = frame.String() + v.problem
	width, height := 80, 24
	if w, h, err := term.GetSize(int(frame.Fd())); err == nil && w > 0 && h > 0 {
		width, height = w, h
	}
	head := fmt.Sprintf("every %s, last %s; ctrl-c stops", inventory.FormatDuration(v.interval), env.Now().Format(time.TimeOnly))
	lines := append([]string{env.palette(true).Faint.Paint(head), ""}, strings.Split(strings.TrimRight(v.last, "\n"), "\n")...)
	var b strings.Builder
	if !v.entered {
		b.WriteString(ansi.SetModeAltScreenSaveCursor + ansi.HideCursor)
		v.entered = true
	}
	b.WriteString(ansi.CursorHomePosition)
	for i, line := range lines[:min(len(lines), height)] {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(ansi.Truncate(line, width, "…") + ansi.EraseLineRight)
	}
	b.WriteString(ansi.EraseScreenBelow)
	_, err := io.WriteString(v.env.Out, b.String())
	return err
}

func (v *statusScreen) close() {
	if v.entered {
		io.WriteString(v.env.Out, ansi.ShowCursor+ansi.ResetModeAltScreenSaveCursor+v.last)
	}
}

// frameBuffer is a buffer for a terminal: it has the width of the terminal.
type frameBuffer struct {
	bytes.Buffer
	terminal io.Writer
}

// Fd returns the descriptor of the terminal.
func (f *frameBuffer) Fd() uintptr {
	if file, ok := f.terminal.(interface{ Fd() uintptr }); ok {
		return file.Fd()
	}
	return ^uintptr(0)
}
