package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
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
	nix     inventory.NixArgs
}

func newCheck(env *Env) *cobra.Command {
	o := checkOptions{format: "text"}
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Validate the inventory",
		Long: `Validate the inventory. Every problem is printed with its file, line and column, and how to fix it.

With --flake, check that every host's attribute exists in the flake in that directory; this requires nix on this machine, which
gets the host's nix_options and build_args. With --connect, also find over SSH what the next deploy of each host would trip over: its
checkout, whether it can read the remote, whether the Nix daemon answers, whether its state directory is writable, its lock, sudo, disk
space, the number of sessions, a second login, its clock, and whether it is the same machine as another host of the inventory. Nothing
is changed. Warnings do not keep a deploy from working.

With --local, check this host's health agent instead: whether it answers on its socket, and who may connect. There may be two
agents, one of a home and one of the machine. With --config, check the table's configuration instead; FILE is then a config.toml.

The format github prints problems as annotations of a GitHub workflow; json prints one problem per line.

EXIT STATUS

0  no problems were found
1  the inventory is valid, but a deploy of a host would fail (--connect); the agent does not answer (--local)
2  the inventory, or the configuration (--config), has problems or cannot be read`,
		Example: `  fleetctl check
  fleetctl check --flake . --format github
  fleetctl check --connect
  fleetctl check --config`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := requireFlake(cmd, o.flake); err != nil {
				return err
			}
			if len(args) == 1 {
				o.file = args[0]
				return runCheck(cmd.Context(), env, o)
			}
			var err error
			o.file, err = inventory.Locate(inventoryFlag(cmd), env.Getenv, env.Dir, env.Home)
			if err != nil {
				return exit(fleet.ExitUsage, err)
			}
			return runCheck(cmd.Context(), env, o)
		},
	}
	pathVar(cmd.Flags(), &o.flake, "flake", "DIR", "check attributes against the flake in this directory")
	cmd.Flags().BoolVar(&o.connect, "connect", false, "also check every host over SSH")
	nixFlags(cmd, &o.nix)
	choiceVar(cmd.Flags(), &o.format, "format", "text", "how to print problems", "text", "json", "github")
	return withConfig(env, withLocal(env, cmd), &o.format)
}

func runCheck(ctx context.Context, env *Env, o checkOptions) error {
	inv, findings, err := inventory.Load(o.file)
	if err != nil {
		return exit(fleet.ExitUsage, err)
	}
	if o.flake != "" {
		more, err := flakeFindings(ctx, env, inv, o.flake, o.nix)
		if err != nil {
			return exit(fleet.ExitUsage, err)
		}
		findings = append(findings, more...)
	}
	code := fleet.ExitOK
	if len(findings) > 0 {
		code = fleet.ExitUsage
	} else if o.connect {
		// Only if the inventory is valid: its problems would cause others on the hosts.
		env.findLocal(ctx, inv)
		findings, err = connectFindings(ctx, env, inv, inv.Hosts)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(findings, func(f inventory.Finding) bool { return !f.Warning }) {
			code = fleet.ExitFailed
		}
	}
	if err := o.format.print(env.Out, findings); err != nil {
		return err
	}
	if code == fleet.ExitOK && o.format != "json" {
		fmt.Fprintf(env.Out, "%s: %s, ok\n", o.file, count(len(inv.Hosts), "host"))
		if env.lacksRemote(ctx, inv) {
			fmt.Fprintln(env.Out, "note: there is no remote, so a deploy has to name a commit with --rev; set remote in [fleet]")
		}
	}
	return exit(code, nil)
}

// flakeFindings returns a finding for each host whose attribute is missing from its flake, in the
// repository at dir. Flakes are evaluated with the arguments of each host, and then these.
func flakeFindings(ctx context.Context, env *Env, inv *inventory.Inventory, dir string, args inventory.NixArgs) ([]inventory.Finding, error) {
	var findings []inventory.Finding
	type output struct {
		dir  string
		kind inventory.Kind
		args string
	}
	attrs := make(map[output][]string)
	for _, h := range inv.Hosts {
		if h.Kind == "" || h.Attr == "" {
			continue // already a finding
		}
		words := h.NixArgs().With(args).CommandLine()
		out := output{filepath.Join(dir, h.FlakeDir), h.Kind, strings.Join(words, "\n")}
		if _, cached := attrs[out]; !cached {
			names, err := flakeHosts(ctx, env, out.dir, h.Kind, words)
			if err != nil {
				return nil, err
			}
			attrs[out] = names
		}
		if known := attrs[out]; !slices.Contains(known, h.Attr) {
			message := fmt.Sprintf("host %q: the flake has no %s.%q", h.Name, flakeOutput(h.Kind), h.Attr)
			hint := inventory.DidYouMean(h.Attr, known)
			switch {
			case hint != "":
			case len(known) == 0:
				hint = "add it to the flake"
			default:
				hint = "add it to the flake, or set attr to one of " + nameList(known)
			}
			findings = append(findings, inv.Finding(h, message, hint))
		}
	}
	return findings, nil
}

// nameList joins names with commas, leaving out those after the first ten.
func nameList(names []string) string {
	const limit = 10
	if len(names) > limit {
		return strings.Join(names[:limit], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// count formats a number with its noun: "1 host", "2 hosts".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// checkFormat is the value of --format.
type checkFormat string

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

// annotation formats a finding as a GitHub workflow command, which shows it next to the line in a
// pull request.
func annotation(f inventory.Finding) string {
	message := f.Message
	if f.Hint != "" {
		message += "\nhint: " + f.Hint
	}
	level := "error"
	if f.Warning {
		level = "warning"
	}
	return workflowCommand(level, message, "file", f.File, "line", strconv.Itoa(f.Line), "col", strconv.Itoa(f.Column))
}
