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

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func newSSH(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh HOST [COMMAND...]",
		Short: "Log in to a host with OpenSSH",
		Long: `Run ssh itself with what the inventory says of a host: its address, port and user. All else is ssh_config(5)'s, under the
host's name: keys, bastions, control sockets, forwardings. A command is run by the host's login shell, as ssh does it.

EXIT STATUS

That of ssh: the command's own, or 255 where ssh failed; 2 where the inventory is wrong or has no such host.`,
		Example: `  fleetctl ssh hsb0
  fleetctl ssh hsb0 systemctl status nginx`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("name one of the inventory: fleetctl list", "no host was given")
			}
			return nil
		},
		ValidArgsFunction: completeSelector(env),
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
	cmd.Flags().SetInterspersed(false) // what follows the host is the command's
	return cmd
}

// oneHost finds the host of that name, and else says what the inventory has that is near.
func oneHost(inv *inventory.Inventory, name string) (*inventory.Host, error) {
	if h := inv.Host(name); h != nil {
		return h, nil
	}
	hosts, err := inv.Select(name)
	switch {
	case err != nil:
		return nil, exit(fleet.ExitUsage, err)
	case len(hosts) != 1:
		return nil, usage("name one of them", "%q picks %d hosts", name, len(hosts))
	}
	return hosts[0], nil
}

// runSSH runs ssh as a child, and not in this process's place, which may be serving the demo's hosts.
func runSSH(ctx context.Context, env *Env, h *inventory.Host, command []string) error {
	path, err := exec.LookPath("ssh")
	if err != nil {
		return &hintedError{err: errors.New("there is no ssh in PATH"), hint: "install OpenSSH's client"}
	}
	pool := newPool(env)
	defer pool.Close()
	ssh := exec.CommandContext(ctx, path, append(pool.ConfigArgs(), sshArgs(h, command)...)...)
	ssh.Stdin, ssh.Stdout, ssh.Stderr, ssh.Env = env.In, env.Out, env.Err, env.Environ
	for out, is := env.Out.(*heard); is; out, is = out.Writer.(*heard) {
		ssh.Stdout = out.Writer // the file itself, for ssh to write to
	}
	// Ctrl-c reaches ssh by itself: whether it is the end is for ssh to say.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGQUIT)
	defer signal.Stop(interrupts)
	err = ssh.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.Exited() {
		return exit(ended.ExitCode(), nil)
	}
	return err
}

// sshArgs is the inventory's part of ssh's command line. The host goes by its name even where it has an address, so that
// everything else that ssh_config(5) says of the name still holds.
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
