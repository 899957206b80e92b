package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

type checkOptions struct {
	file    string
	flake   string
	connect bool
	format  checkFormat
}

func newCheck(env *Env) *cobra.Command {
	o := checkOptions{format: "text"}
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Prove the inventory",
		Long: `Prove the inventory: everything that is wrong with it, each with file, line, column and what to do.

With --flake, every host's attribute has to exist in the flake in that directory; this takes nix here. With --connect, every
host is asked over SSH whether a deploy could begin: its checkout, sudo, nix, disk space. Nothing is changed.

With --local, it is this host's agent that is looked at instead: whether its socket answers, and who may read it.
There may be two: of a home, and of the machine. With --config, it is the settings of the table, and FILE is a config.toml.

The format github prints findings as annotations of a GitHub workflow, json one finding a line.

EXIT STATUS

0  nothing is wrong
1  the inventory is sound, and a host is not (--connect); the agent does not answer (--local)
2  the inventory, or the settings (--config), has findings or cannot be read`,
		Example: `  fleetctl check
  fleetctl check --flake . --format github
  fleetctl check --connect
  fleetctl check --config`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.file = args[0]
				return runCheck(cmd.Context(), env, o)
			}
			flag, err := cmd.Flags().GetString("inventory")
			if err != nil {
				return err
			}
			o.file, err = inventory.Locate(flag, env.Getenv, env.Dir, env.Home)
			if err != nil {
				return exit(fleet.ExitUsage, err)
			}
			return runCheck(cmd.Context(), env, o)
		},
	}
	cmd.Flags().StringVar(&o.flake, "flake", "", "the `directory` of the flake that has the hosts' attributes")
	cmd.Flags().BoolVar(&o.connect, "connect", false, "look at every host over SSH as well")
	cmd.Flags().Var(&o.format, "format", "how findings are printed: text, json or github")
	return withConfig(env, withLocal(env, cmd), &o.format)
}

func runCheck(ctx context.Context, env *Env, o checkOptions) error {
	inv, findings, err := inventory.Load(o.file)
	if err != nil {
		return exit(fleet.ExitUsage, err)
	}
	if o.flake != "" {
		more, err := flakeFindings(ctx, env, inv, o.flake)
		if err != nil {
			return exit(fleet.ExitUsage, err)
		}
		findings = append(findings, more...)
	}
	code := fleet.ExitOK
	if len(findings) > 0 {
		code = fleet.ExitUsage
	} else if o.connect {
		// Only now: what is wrong in the file would be wrong on the host.
		findings, err = connectFindings(ctx, env, inv, inv.Hosts)
		if err != nil {
			return err
		}
		if len(findings) > 0 {
			code = fleet.ExitFailed
		}
	}
	if err := o.format.print(env.Out, findings); err != nil {
		return err
	}
	if len(findings) == 0 && o.format != "json" {
		fmt.Fprintf(env.Out, "%s: %s, ok\n", o.file, count(len(inv.Hosts), "host"))
	}
	return exit(code, nil)
}

// flakeFindings are the hosts whose attribute is not in the flake.
func flakeFindings(ctx context.Context, env *Env, inv *inventory.Inventory, dir string) ([]inventory.Finding, error) {
	var findings []inventory.Finding
	attrs := make(map[inventory.Kind][]string)
	for _, h := range inv.Hosts {
		if h.Kind == "" || h.Attr == "" {
			continue // that is a finding already
		}
		if _, asked := attrs[h.Kind]; !asked {
			names, err := flakeHosts(ctx, env, dir, h.Kind)
			if err != nil {
				return nil, err
			}
			attrs[h.Kind] = names
		}
		if known := attrs[h.Kind]; !slices.Contains(known, h.Attr) {
			message := fmt.Sprintf("host %q: the flake has no %s.%q", h.Name, flakeOutput(h.Kind), h.Attr)
			hint := inventory.DidYouMean(h.Attr, known)
			if hint == "" {
				hint = fmt.Sprintf("add it to the flake, or name another as attr; there are %s", inWords(known))
			}
			findings = append(findings, inv.Finding(h, message, hint))
		}
	}
	return findings, nil
}

// inWords lists names, not too many of them.
func inWords(names []string) string {
	const most = 10
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// checkFormat is how findings are printed.
type checkFormat string

func (f *checkFormat) String() string { return string(*f) }
func (f *checkFormat) Type() string   { return "format" }
func (f *checkFormat) Set(s string) error {
	if s != "text" && s != "json" && s != "github" {
		return fmt.Errorf("it is text, json or github")
	}
	*f = checkFormat(s)
	return nil
}

func (f checkFormat) print(w io.Writer, findings []inventory.Finding) error {
	for _, finding := range findings {
		var err error
		switch f {
		case "json":
			err = json.NewEncoder(w).Encode(finding)
		case "github":
			_, err = fmt.Fprintln(w, annotation(finding))
		default:
			_, err = fmt.Fprintln(w, finding)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// annotation is a finding as a workflow command of GitHub, which shows it beside the line of the pull request.
func annotation(f inventory.Finding) string {
	// What the commands are made of is escaped, more of it in their properties than in their text:
	// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	message := f.Message
	if f.Hint != "" {
		message += "\nhint: " + f.Hint
	}
	return fmt.Sprintf("::error file=%s,line=%d,col=%d::%s", property.Replace(f.File), f.Line, f.Column, text.Replace(message))
}
