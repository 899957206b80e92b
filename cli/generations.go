package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

// generationsJSON is a host in rollback --list --output json.
type generationsJSON struct {
	Host        string           `json:"host"`
	Generations []generationJSON `json:"generations"`
	Error       string           `json:"error,omitempty"`
	Hint        string           `json:"hint,omitempty"`
}

type generationJSON struct {
	Number   int        `json:"number"`
	Time     *time.Time `json:"time,omitempty"`
	Revision string     `json:"revision,omitempty"`
	Current  bool       `json:"current,omitempty"`
	Booted   bool       `json:"booted,omitempty"`
}

// listGenerations prints what hosts could go back to. It begins nothing.
func listGenerations(ctx context.Context, env *Env, d host.Dialer, parallel int, hosts []*inventory.Host, output string) error {
	type answer struct {
		all []host.Generation
		err error
	}
	ask := func(ctx context.Context, h *inventory.Host) (a answer) {
		a.all, a.err = host.Generations(ctx, d, h)
		return a
	}
	code := fleet.ExitOK
	found := make(map[string][]host.Generation)
	wrong := make(map[string]error)
	inOrder(ctx, hosts, parallel, ask, func(h *inventory.Host, a answer) {
		found[h.Name], wrong[h.Name] = a.all, a.err
		code = worse(code, codeOfHost(h, a.err))
	})
	if ctx.Err() != nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	print := printGenerations
	if output == outputJSON {
		print = printGenerationsJSON
	}
	if err := print(env, hosts, found, wrong); err != nil {
		return err
	}
	return exit(code, nil)
}

func printGenerations(env *Env, hosts []*inventory.Host, found map[string][]host.Generation, wrong map[string]error) error {
	t, none := newTable(env, "HOST", "GENERATION", "MADE", "REVISION", "IS"), true
	for _, h := range hosts {
		for _, g := range found[h.Name] {
			t.row(env.palette(env.OutTTY).Host(h.Color), append([]string{h.Name}, generationCells(g)...)...)
			none = false
		}
	}
	if !none {
		fmt.Fprint(env.Out, t)
	}
	for _, h := range hosts {
		switch err := wrong[h.Name]; {
		case err == nil:
		case offline(err) && h.SkipOffline:
			fmt.Fprintf(env.Err, "%s: skipped: %s\n", h.Name, withoutName(err.Error(), h))
		default:
			fmt.Fprintf(env.Err, "%s: %s\n", h.Name, withoutName(err.Error(), h))
			printHint(env.Err, env.palette(env.ErrTTY), err)
		}
	}
	return nil
}

func printGenerationsJSON(env *Env, hosts []*inventory.Host, found map[string][]host.Generation, wrong map[string]error) error {
	lines := jsonLines(env.Out)
	for _, h := range hosts {
		line := generationsJSON{Host: h.Name, Generations: []generationJSON{}}
		for _, g := range found[h.Name] {
			one := generationJSON{Number: g.Number, Revision: g.Revision, Current: g.Current, Booted: g.Booted}
			if !g.Time.IsZero() {
				one.Time = &g.Time
			}
			line.Generations = append(line.Generations, one)
		}
		if err := wrong[h.Name]; err != nil {
			line.Error, line.Hint = withoutName(err.Error(), h), hintOf(err)
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// generationCells are its number, when it was made, its revision, and what it is now.
func generationCells(g host.Generation) []string {
	made := ""
	if !g.Time.IsZero() {
		made = g.Time.Local().Format("2006-01-02 15:04")
	}
	var is []string
	if g.Current {
		is = append(is, "current")
	}
	if g.Booted {
		is = append(is, "booted")
	}
	return []string{strconv.Itoa(g.Number), made, health.Short(g.Revision), strings.Join(is, ", ")}
}

// before is the generation before the current one, or 0.
func before(all []host.Generation) int {
	now := slices.IndexFunc(all, func(g host.Generation) bool { return g.Current }) // the newest first
	if now < 0 || now+1 == len(all) {
		return 0
	}
	return all[now+1].Number
}

// chooseGeneration shows a person what a host could go back to, and asks which it is to be.
func chooseGeneration(ctx context.Context, env *Env, h *inventory.Host) (int, error) {
	var all []host.Generation
	err := env.visit(ctx, func(ctx context.Context, d host.Dialer) (err error) {
		all, err = host.Generations(ctx, d, h)
		if ctx.Err() != nil {
			return exit(fleet.ExitInterrupted, errors.New("interrupted"))
		}
		return exit(codeOfHost(h, err), err)
	})
	if err != nil {
		return 0, err
	}
	usual := before(all)
	if usual == 0 {
		return 0, nil // it is for the host to say that there is none
	}
	for _, g := range all {
		fmt.Fprintln(env.Err, tui.GenerationWords(g))
	}
	fmt.Fprintf(env.Err, "which generation of %s? [%d] ", h.Name, usual)
	answer, err := readLine(env.In)
	if err != nil {
		fmt.Fprintln(env.Err)
		return 0, exit(fleet.ExitInterrupted, errors.New("nothing was begun"))
	}
	if answer == "" {
		return usual, nil
	}
	for _, g := range all {
		if strconv.Itoa(g.Number) == answer {
			return g.Number, nil
		}
	}
	return 0, usage("fleetctl rollback --list "+h.Name+" shows them", "%q is no generation of %s", answer, h.Name)
}
