package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

// generations is what a host answered when it was asked for them.
type generations struct {
	all []health.Generation
	err error
}

// generationsJSON is a host in rollback --list --output json.
type generationsJSON struct {
	Host        string              `json:"host"`
	Generations []health.Generation `json:"generations"`
	Error       string              `json:"error,omitempty"`
	Hint        string              `json:"hint,omitempty"`
}

// listGenerations shows what hosts can go back to.
func listGenerations(ctx context.Context, env *Env, output string, d fleet.Dialer, parallel int, hosts []*inventory.Host) error {
	t := newTable(env, generationHeads...)
	var away []string // and why, to be said after the table
	lines := jsonLines(env.Out)
	code := fleet.ExitOK
	var err error
	ask := func(ctx context.Context, h *inventory.Host) (g generations) {
		g.all, g.err = fleet.Generations(ctx, d, h)
		return g
	}
	inOrder(ctx, hosts, parallel, ask, func(h *inventory.Host, g generations) {
		if ctx.Err() != nil {
			return
		}
		code = worse(code, codeOfHost(h, g.err))
		if output == outputJSON {
			line := generationsJSON{Host: h.Name, Generations: g.all}
			if g.err != nil {
				line.Error, line.Hint = withoutName(g.err.Error(), h), hintOf(g.err)
			}
			if line.Generations == nil {
				line.Generations = []health.Generation{}
			}
			err = errors.Join(err, lines.Encode(line))
			return
		}
		t.addGenerations(env.palette(env.OutTTY).Host(h.Color), h, g.all)
		if g.err != nil {
			away = append(away, fmt.Sprintf("%s: %s", env.palette(env.ErrTTY).Host(h.Color).Paint(h.Name), withoutName(g.err.Error(), h)))
		} else if len(g.all) == 0 {
			away = append(away, h.Name+": it has no generations")
		}
	})
	switch {
	case ctx.Err() != nil:
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	case err != nil:
		return err
	}
	if output == outputText {
		fmt.Fprint(env.Out, t)
	}
	for _, line := range away {
		fmt.Fprintln(env.Err, line)
	}
	return exit(code, nil)
}

var generationHeads = []string{"HOST", "GENERATION", "MADE", "REVISION", ""}

func (t *table) addGenerations(ink tui.Ink, h *inventory.Host, all []health.Generation) {
	for _, g := range all {
		made := ""
		if g.Time != nil {
			made = g.Time.Local().Format("2006-01-02 15:04")
		}
		var is []string
		if g.Current {
			is = append(is, "current")
		}
		if g.Booted {
			is = append(is, "booted")
		}
		t.row(ink, h.Name, strconv.Itoa(g.Number), made, health.Short(g.Revision), strings.Join(is, ", "))
	}
}

// chooseGeneration shows a person what a host can go back to, and asks which it shall be. Without an answer it is the generation before.
func chooseGeneration(ctx context.Context, env *Env, h *inventory.Host) (int, error) {
	var all []health.Generation
	err := env.visit(ctx, func(ctx context.Context, d fleet.Dialer) (err error) {
		all, err = fleet.Generations(ctx, d, h)
		switch {
		case ctx.Err() != nil:
			return exit(fleet.ExitInterrupted, errors.New("interrupted"))
		case err == nil && len(all) == 0:
			return fmt.Errorf("%s: it has no generations", h.Name)
		}
		return exit(codeOfHost(h, err), err)
	})
	if err != nil {
		return 0, err
	}
	aside := *env // questions, and what belongs to them, are no output
	aside.Out, aside.OutTTY = env.Err, env.ErrTTY
	t := newTable(&aside, generationHeads...)
	t.addGenerations(env.palette(env.ErrTTY).Host(h.Color), h, all)
	fmt.Fprintf(env.Err, "%s\n", t)

	question := "which generation shall run again? "
	before := health.Before(all)
	if before != nil {
		question = fmt.Sprintf("which generation shall run again? [%d] ", before.Number)
	}
	for {
		answer, err := env.ask(question)
		if err != nil {
			return 0, exit(fleet.ExitInterrupted, errors.New("nothing was begun"))
		}
		if answer == "" && before != nil {
			return before.Number, nil
		}
		for _, g := range all {
			if answer == strconv.Itoa(g.Number) {
				return g.Number, nil
			}
		}
		fmt.Fprintf(env.Err, "%s has no generation %q; ctrl-c begins nothing\n", h.Name, answer)
	}
}
