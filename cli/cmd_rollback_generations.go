package cli

import (
	"cmp"
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
	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/tui"
)

// generationsJSON is a line of rollback --list --output json.
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

// listGenerations prints the generations of hosts.
func listGenerations(ctx context.Context, env *Env, c *host.Client, hosts []*inventory.Host, output string) error {
	type result struct {
		generations []host.Generation
		err         error
	}
	query := func(ctx context.Context, h *inventory.Host) (r result) {
		r.generations, r.err = c.Generations(ctx, h)
		return r
	}
	code := fleet.ExitOK
	found := make(map[string][]host.Generation)
	errs := make(map[string]error)
	inOrder(ctx, hosts, cmp.Or(c.Parallel, c.Inventory.Parallel), query, func(h *inventory.Host, r result) {
		found[h.Name], errs[h.Name] = r.generations, r.err
		code = worseCode(code, hostExitCode(h, r.err))
	})
	if ctx.Err() != nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	print := printGenerations
	if output == outputJSON {
		print = printGenerationsJSON
	}
	if err := print(env, hosts, found, errs); err != nil {
		return err
	}
	return exit(code, nil)
}

func printGenerations(env *Env, hosts []*inventory.Host, found map[string][]host.Generation, errs map[string]error) error {
	t, none := newTextTable(env, "HOST", "GENERATION", "CREATED", "REVISION", "STATE"), true
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
		switch err := errs[h.Name]; {
		case err == nil:
		case offline(err) && h.SkipOffline:
			fmt.Fprintf(env.Err, "%s: skipped: %s\n", h.Name, withoutName(err.Error(), h))
		default:
			fmt.Fprintf(env.Err, "%s: %s\n", h.Name, withoutName(err.Error(), h))
			printHint(env.Err, env.palette(env.ErrTTY), hint.Of(err))
		}
	}
	return nil
}

func printGenerationsJSON(env *Env, hosts []*inventory.Host, found map[string][]host.Generation, errs map[string]error) error {
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
		if err := errs[h.Name]; err != nil {
			line.Error, line.Hint = withoutName(err.Error(), h), hint.Of(err)
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// generationCells returns the number of a generation, when it was created, its revision, and
// whether it is current or booted.
func generationCells(g host.Generation) []string {
	created := ""
	if !g.Time.IsZero() {
		created = g.Time.Local().Format("2006-01-02 15:04")
	}
	var state []string
	if g.Current {
		state = append(state, "current")
	}
	if g.Booted {
		state = append(state, "booted")
	}
	return []string{strconv.Itoa(g.Number), created, health.Short(g.Revision), strings.Join(state, ", ")}
}

// previousGeneration returns the number of the generation before the current one, or 0. generations
// has the newest first.
func previousGeneration(generations []host.Generation) int {
	current := slices.IndexFunc(generations, func(g host.Generation) bool { return g.Current })
	if current < 0 || current+1 == len(generations) {
		return 0
	}
	return generations[current+1].Number
}

// chooseGeneration shows the generations of a host and prompts for one. It is an error if there is
// no earlier one.
func chooseGeneration(ctx context.Context, env *Env, inv *inventory.Inventory, h *inventory.Host) (int, error) {
	var generations []host.Generation
	err := env.withClient(ctx, inv, []*inventory.Host{h}, 1, func(ctx context.Context, c *host.Client) (err error) {
		generations, err = c.Generations(ctx, h)
		if ctx.Err() != nil {
			return exit(fleet.ExitInterrupted, errors.New("interrupted"))
		}
		return exit(hostExitCode(h, err), err)
	})
	if err != nil {
		return 0, err
	}
	previous := previousGeneration(generations)
	if previous == 0 {
		return 0, nothingEarlier(h, generations)
	}
	for _, g := range generations {
		fmt.Fprintln(env.Err, tui.FormatGeneration(g))
	}
	fmt.Fprintf(env.Err, "Which generation of %s? [%d] ", h.Name, previous)
	answer, err := readLine(env.In)
	if err != nil {
		fmt.Fprintln(env.Err)
		return 0, exit(fleet.ExitInterrupted, errors.New("nothing was started"))
	}
	if answer == "" {
		return previous, nil
	}
	for _, g := range generations {
		if strconv.Itoa(g.Number) == answer {
			return g.Number, nil
		}
	}
	return 0, usage("fleetctl rollback --list "+h.Name+" lists them", "%q is not a generation of %s", answer, h.Name)
}

// nothingEarlier returns the error that a host has no generation before the current one.
func nothingEarlier(h *inventory.Host, generations []host.Generation) error {
	current := slices.IndexFunc(generations, func(g host.Generation) bool { return g.Current })
	switch {
	case current < 0:
		return exit(fleet.ExitFailed, hint.Errorf("fleetctl rollback "+h.Name+" --list lists them; --to chooses one", "none of the generations of %s is current", h.Name))
	case len(generations) == 1:
		return exit(fleet.ExitFailed, fmt.Errorf("%s has only generation %d, so there is nothing to roll back to", h.Name, generations[0].Number))
	}
	return exit(fleet.ExitFailed, hint.Errorf("--to chooses another one", "%s already runs its oldest generation, %d", h.Name, generations[current].Number))
}
