package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
)

type testOptions struct {
	selection
	parallel int
	timeout  time.Duration
	output   string
}

func newTest(env *Env) *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use:   "test SELECTOR...",
		Short: "Run the repository's tests on hosts",
		Long: `Run the scripts hosts/NAME/tests/*.sh of each host's checkout on that host; NAME is the host's name
in the inventory. They run as the login user, in the checkout, with Nix's directories in PATH and
nothing on standard input. A test passes if it exits with status 0 within five minutes. If a test
fails, the end of its output is shown. A script run-all-tests.sh is left out if there are others.

All tests of a host may take --timeout together. The last result of each host is kept, and shown by
status and in the table.

With --output json, each test is a line on standard output, and so is each host whose tests could
not run.

EXIT STATUS

0  every test passed
1  a test failed, or a host's tests could not run
2  the command line or the inventory is invalid
3  no test failed, but a host without offline = "skip" could not be reached
130  interrupted`,
		Example: `  fleetctl test hsb0
  fleetctl test --all --output json | jq 'select(.exit != 0)'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			if o.timeout > 0 {
				for _, h := range hosts {
					h.Timeouts.AllTests = o.timeout
				}
			}
			return env.withClient(cmd.Context(), inv, hosts, o.parallel, func(ctx context.Context, c *host.Client) error {
				return runTest(ctx, env, o, c, hosts)
			})
		},
	}
	o.selection.flags(cmd, env)
	parallelFlag(cmd.Flags(), &o.parallel)
	cmd.Flags().Var((*timeoutFlag)(&o.timeout), "timeout", "stop the tests of a host after this long (default: timeouts.all_tests of the inventory)")
	outputFlag(cmd.Flags(), &o.output, "test")
	return cmd
}

func runTest(ctx context.Context, env *Env, o testOptions, c *host.Client, hosts []*inventory.Host) error {
	show := (*testPrinter).text
	if o.output == outputJSON {
		show = (*testPrinter).json
	}
	p := &testPrinter{env: env, labels: newLabels(env, hosts), lines: json.NewEncoder(env.Out)}
	c.RunTests(ctx, hosts, func(t host.TestResults) {
		h := c.Inventory.Host(t.Host)
		show(p, h, t)
		p.count(h, t)
		if kept := t.Summary(env.Now()); kept != nil {
			if err := env.records().SaveTests(c.Inventory.Name, h.Name, *kept); err != nil {
				fmt.Fprintf(env.Err, "fleetctl: warning: %v\n", err)
			}
		}
	})
	switch {
	case ctx.Err() != nil:
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	case p.failed > 0:
		return exit(fleet.ExitFailed, nil)
	case p.unreachable > 0:
		return exit(fleet.ExitUnreachable, nil)
	}
	return nil
}

// testPrinter prints the results of hosts' tests and counts failures.
type testPrinter struct {
	env                 *Env
	labels              labels
	lines               *json.Encoder
	failed, unreachable int
}

func (p *testPrinter) count(h *inventory.Host, t host.TestResults) {
	for _, test := range t.Tests {
		if test.Exit != 0 {
			p.failed++
		}
	}
	switch {
	case t.Err == nil || offline(t.Err) && h.SkipOffline:
	case offline(t.Err):
		p.unreachable++
	default:
		p.failed++
	}
}

func (p *testPrinter) text(h *inventory.Host, t host.TestResults) {
	ink, label := p.env.palette(p.env.OutTTY), p.labels.of(h, p.env.OutTTY)
	for _, test := range t.Tests {
		if test.Exit == 0 {
			fmt.Fprintf(p.env.Out, "%s%s %s (%d s)\n", label, ink.Good.Paint("✓ passed"), test.Name, test.Seconds)
			continue
		}
		fmt.Fprintf(p.env.Out, "%s%s %s: exit status %d (%d s)\n", label, ink.Bad.Paint("✗ failed"), test.Name, test.Exit, test.Seconds)
		for _, line := range fleet.Excerpt(test.Output) {
			fmt.Fprintf(p.env.Out, "  %s %s\n", ink.Faint.Paint("|"), line)
		}
	}
	switch {
	case t.Err != nil && offline(t.Err) && h.SkipOffline:
		fmt.Fprintf(p.env.Out, "%s%s: %s\n", label, ink.Faint.Paint("- away"), withoutName(t.Err.Error(), h))
	case t.Err != nil:
		word := "✗ not tested"
		if offline(t.Err) {
			word = "? unreachable"
		}
		fmt.Fprintf(p.env.Out, "%s%s: %s\n", label, ink.Bad.Paint(word), withoutName(t.Err.Error(), h))
		printHint(p.env.Out, ink, hint.Of(t.Err))
	case len(t.Tests) == 0:
		fmt.Fprintf(p.env.Out, "%s%s: the checkout has no hosts/%s/tests/*.sh\n", label, ink.Faint.Paint("- no tests"), h.Name)
	}
}

// testJSON is a line of --output json: a test, or a host whose tests could not run.
type testJSON struct {
	Host    string   `json:"host"`
	Test    string   `json:"test,omitempty"`
	Exit    *int     `json:"exit,omitempty"`
	Seconds int      `json:"seconds"`
	Output  []string `json:"output,omitempty"`
	Error   string   `json:"error,omitempty"`
}

func (p *testPrinter) json(h *inventory.Host, t host.TestResults) {
	for _, test := range t.Tests {
		p.lines.Encode(testJSON{Host: h.Name, Test: test.Name, Exit: &test.Exit, Seconds: test.Seconds, Output: test.Output})
	}
	if t.Err != nil {
		p.lines.Encode(testJSON{Host: h.Name, Error: withoutName(t.Err.Error(), h)})
	}
}
