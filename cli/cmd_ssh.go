package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
)

func newSSH(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh HOST [COMMAND...]",
		Short: "Log in to a host with OpenSSH",
		Long: `Run ssh with a host's address, port and user from the inventory. Everything else comes from
ssh_config(5), under the host's name: keys, bastions, control sockets, forwardings. A command is run
by the host's login shell, as ssh does.

EXIT STATUS

That of ssh: the command's own, or 255 if ssh failed. 2 if the inventory is invalid or has no such
host.`,
		Example: `  fleetctl ssh hsb0
  fleetctl ssh hsb0 systemctl status nginx`,
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.MinimumNArgs(1)(c, args); err != nil {
				return usage("fleetctl list shows the hosts", "%s %w", c.CommandPath(), err)
			}
			return nil
		},
		ValidArgsFunction: completeHost(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, err := loadInventory(env, cmd)
			if err != nil {
				return err
			}
			h, err := oneHost(inv, args[0])
			if err != nil {
				return err
			}
			command := args[1:]
			if len(command) > 0 && command[0] == "--" {
				command = command[1:]
			}
			return runSSH(cmd.Context(), env, h, command)
		},
	}
	cmd.Flags().SetInterspersed(false) // flags after the host belong to the command
	return cmd
}

// oneHost returns the host with a name, or the only one that a selector matches.
func oneHost(inv *inventory.Inventory, name string) (*inventory.Host, error) {
	if h := inv.Host(name); h != nil {
		return h, nil
	}
	hosts, err := inv.Select(name)
	switch {
	case err != nil:
		return nil, exitUsage(err)
	case len(hosts) != 1:
		return nil, usage("name one of them", "%q matches %d hosts", name, len(hosts))
	}
	return hosts[0], nil
}

// runSSH runs ssh as a child process. It does not replace this process, which may serve the demo's
// hosts.
func runSSH(ctx context.Context, env *Env, h *inventory.Host, command []string) error {
	path, err := exec.LookPath("ssh")
	if err != nil {
		return hint.Errorf("install the OpenSSH client", "there is no ssh in PATH")
	}
	pool := newPool(env)
	defer pool.Close()
	ssh := exec.CommandContext(ctx, path, append(pool.ConfigArgs(), sshArgs(h, command)...)...)
	ssh.Stdin, ssh.Stdout, ssh.Stderr, ssh.Env = env.In, env.Out, env.Err, env.Environ
	for out, ok := env.Out.(*errWriter); ok; out, ok = out.Writer.(*errWriter) {
		ssh.Stdout = out.Writer // the file itself, so that ssh writes to it directly
	}
	// The terminal sends ctrl-c to ssh as well, which decides whether to exit.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGQUIT)
	defer signal.Stop(interrupts)
	err = ssh.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.Exited() {
		return exit(failed.ExitCode(), nil)
	}
	return err
}

// sshArgs returns the arguments of ssh for a host. It passes the host's name even if the inventory
// has an address, so that the settings in ssh_config(5) for that name apply.
func sshArgs(h *inventory.Host, command []string) []string {
	var args []string
	if h.Address != "" {
		args = append(args, "-o", "HostName="+strings.ReplaceAll(h.Address, "%", "%%"))
	}
	if h.Port != 0 {
		args = append(args, "-p", strconv.Itoa(h.Port))
	}
	if h.User != "" {
		args = append(args, "-l", h.User)
	}
	args = append(args, h.Name)
	if len(command) > 0 {
		args = append(append(args, "--"), command...)
	}
	return args
}
