package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/sshexec"
)

type listOptions struct{ output string }

func newList(env *Env) *cobra.Command {
	var selected selection
	var o listOptions
	cmd := &cobra.Command{
		Use:   "list [SELECTOR...]",
		Short: "Show the resolved inventory, with each host's SSH settings",
		Long: `Show the inventory with its defaults applied, and how each host would be reached: by the inventory's settings and, for those it
does not set, by ssh_config(5). No host is contacted.

With --output json, each host is one line on standard output.

EXIT STATUS

0  the hosts were listed
1  the SSH settings of a host could not be resolved
2  the command line or the inventory is invalid`,
		Example: `  fleetctl list
  fleetctl list '@server and not wave:1'
  fleetctl list --output json | jq -r '[.name, .ssh.hostname] | @tsv'`,
		ValidArgsFunction: completeSelector(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, hosts, err := selected.loadOrAll(env, cmd, args)
			if err != nil {
				return err
			}
			pool := newPool(env)
			defer pool.Close()
			return runList(cmd.Context(), env, o, pool.Resolve, hosts)
		},
	}
	cmd.Flags().BoolVar(&selected.all, "all", false, "select every host of the inventory, as without a selector")
	outputFlag(cmd.Flags(), &o.output, "host")
	return cmd
}

// resolveFunc returns the SSH settings with which a target would be reached.
type resolveFunc func(context.Context, sshexec.Target) (sshexec.Settings, error)

// resolvedHost is a host with its SSH settings, or with the error that resolving them returned.
type resolvedHost struct {
	*inventory.Host
	settings sshexec.Settings
	err      error
}

func runList(ctx context.Context, env *Env, o listOptions, resolve resolveFunc, hosts []*inventory.Host) error {
	rows := resolveAll(ctx, resolve, hosts)
	if o.output == outputJSON {
		lines := jsonLines(env.Out)
		for _, r := range rows {
			if err := lines.Encode(hostJSON(r)); err != nil {
				return err
			}
		}
	} else if err := printHostList(env, rows); err != nil {
		return err
	}
	var errs []error
	for _, r := range rows {
		if r.err != nil {
			errs = append(errs, r.err)
		}
	}
	if len(errs) > 0 {
		return exit(fleet.ExitFailed, errors.Join(errs...))
	}
	return nil
}

// resolveAll resolves the settings of all hosts, many at a time because each may wait for DNS. The
// pool limits how many processes it starts.
func resolveAll(ctx context.Context, resolve resolveFunc, hosts []*inventory.Host) []resolvedHost {
	rows := make([]resolvedHost, len(hosts))
	slots := make(chan struct{}, 128)
	var workers sync.WaitGroup
	for i, h := range hosts {
		slots <- struct{}{}
		workers.Go(func() {
			defer func() { <-slots }()
			rows[i].Host = h
			rows[i].settings, rows[i].err = resolve(ctx, target(h))
		})
	}
	workers.Wait()
	return rows
}

// destination formats how the host is reached: "mba@hsb0.lan via bastion".
func (r resolvedHost) destination() string {
	if r.Local {
		return "local"
	}
	if r.err != nil {
		return "?"
	}
	s := r.settings.User + "@" + r.settings.Hostname
	if r.settings.Port != 22 {
		s = r.settings.User + "@" + r.settings.Address()
	}
	if r.settings.ProxyJump != "" {
		s += " via " + r.settings.ProxyJump
	}
	if len(r.Addresses) > 1 {
		s += " or " + strings.Join(r.Addresses[1:], " or ")
	}
	return s
}

func printHostList(env *Env, rows []resolvedHost) error {
	t := newTextTable(env, "HOST", "KIND", "WAVE", "SSH", "ATTR", "TAGS")
	palette := env.palette(env.OutTTY)
	for _, r := range rows {
		t.row(palette.Host(r.Color), r.Name, string(r.Kind), strconv.Itoa(r.Wave), r.destination(), r.Attr, strings.Join(r.Tags, " "))
	}
	t.fit("ATTR", "WAVE", "TAGS")
	_, err := fmt.Fprint(env.Out, t)
	return err
}

// hostJSON returns a host for --output json: the inventory's keys, and the SSH settings under
// "ssh".
func hostJSON(r resolvedHost) map[string]any {
	h := r.Host
	out := map[string]any{
		"name": h.Name, "kind": h.Kind, "address": h.Address, "addresses": orEmpty(h.Addresses), "connect": h.Connect, "local": h.Local, "port": h.Port, "user": h.User, "tags": orEmpty(h.Tags),
		"wave": h.Wave, "color": h.Color, "attr": h.Attr, "repo": h.Repo, "repo_mode": "checkout", "offline": "fail",
		"build": cmp.Or(h.Builder, "host"), "builds": h.Builds,
		"switch_command": h.SwitchCommand, "health": orEmpty(h.Health),
		"timeouts": map[string]string{
			"connect": h.Timeouts.Connect.String(), "reconnect": h.Timeouts.Reconnect.String(),
			"preflight": h.Timeouts.Preflight.String(), "pull": h.Timeouts.Pull.String(), "build": h.Timeouts.Build.String(),
			"quiet": h.Timeouts.Quiet.String(), "activate": h.Timeouts.Activate.String(), "verify": h.Timeouts.Verify.String(), "hooks": h.Timeouts.Hooks.String(),
		},
		"before_switch": orEmpty(h.BeforeSwitch), "after_switch": orEmpty(h.AfterSwitch),
		"sudo": h.Sudo, "build_args": orEmpty(h.BuildArgs), "nix_options": nixOptions(h),
	}
	if h.Managed {
		out["repo_mode"] = "managed"
	}
	if h.SkipOffline {
		out["offline"] = "skip"
	}
	if r.err != nil {
		out["ssh"], out["ssh_error"] = nil, r.err.Error()
		return out
	}
	s := r.settings
	if !h.Timeouts.ConnectSet {
		out["timeouts"].(map[string]string)["connect"] = s.ConnectTimeout.String()
	}
	out["ssh"] = map[string]any{
		"hostname": s.Hostname, "port": s.Port, "user": s.User,
		"identity_files": orEmpty(s.IdentityFiles), "certificate_files": orEmpty(s.CertificateFiles),
		"identities_only": s.IdentitiesOnly, "identity_agent": s.IdentityAgent,
		"proxy_jump": s.ProxyJump, "proxy_command": s.ProxyCommand,
		"strict_host_key_checking": s.StrictHostKeyChecking, "host_key_alias": s.HostKeyAlias,
		"user_known_hosts_files": orEmpty(s.UserKnownHostsFiles), "global_known_hosts_files": orEmpty(s.GlobalKnownHostsFiles),
		"address_family": s.AddressFamily, "bind_address": s.BindAddress,
		"connect_timeout": s.ConnectTimeout.String(), "connection_attempts": s.ConnectionAttempts,
		"server_alive_interval": s.ServerAliveInterval.String(), "server_alive_count_max": s.ServerAliveCountMax,
		"host_key_algorithms": orEmpty(s.HostKeyAlgorithms), "kex_algorithms": orEmpty(s.KexAlgorithms),
		"ciphers": orEmpty(s.Ciphers), "macs": orEmpty(s.MACs),
		"pubkey_accepted_algorithms": orEmpty(s.PubkeyAcceptedAlgorithms), "ca_signature_algorithms": orEmpty(s.CASignatureAlgorithms),
		"required_rsa_size": s.RequiredRSASize, "auth_methods": orEmpty(s.AuthMethods), "origins": origins(s.Origins),
	}
	return out
}

// origins returns where SSH settings come from. What a target sets is in the inventory.
func origins(of map[string]string) map[string]string {
	named := maps.Clone(of)
	for keyword, origin := range named {
		if origin == sshexec.OriginTarget {
			named[keyword] = "inventory"
		}
	}
	return named
}

// orEmpty returns an empty slice for a nil one, so that JSON has [] instead of null.
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// nixOptions returns the settings of a host for nix, by name.
func nixOptions(h *inventory.Host) map[string]string {
	options := make(map[string]string, len(h.NixOptions))
	for _, o := range h.NixOptions {
		options[o.Name] = o.Value
	}
	return options
}
