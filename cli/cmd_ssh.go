package cli

import (
	"cmp"
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
	"github.com/markus-barta/nixfleet/sshexec"
)

func newSSH(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh HOST [COMMAND...]",
		Short: "Log in to a host with OpenSSH",
		Long: `Run ssh with a host's address, port and user from the inventory. Everything else comes from
ssh_config(5), under the host's name: keys, bastions, control sockets, forwardings. A command is run
by the host's login shell, as ssh does. If the host is the machine that fleetctl runs on, and is worked on without SSH, the
login shell is started directly.

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
	pool := newPool(env)
	defer pool.Close()
	ssh, err := env.shellCommand(ctx, pool, h, command)
	if err != nil {
		return err
	}
	ssh.Stdin, ssh.Stdout, ssh.Stderr = env.In, env.Out, env.Err
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

// shellCommand returns the process that opens a shell on a host, or runs a command there: ssh or,
// if the host is local, the shell of the user.
func (env *Env) shellCommand(ctx context.Context, pool *sshexec.Pool, h *inventory.Host, command []string) (*exec.Cmd, error) {
	if h.Local {
		if err := env.thisMachine(pool.Resolve).refusal(h); err != nil {
			return nil, err
		}
		args := []string{"-l"}
		if len(command) > 0 {
			args = []string{"-c", strings.Join(command, " ")}
		}
		shell := exec.CommandContext(ctx, cmp.Or(env.Getenv("SHELL"), "/bin/sh"), args...)
		shell.Dir, shell.Env = env.Home, env.Environ
		return shell, nil
	}
	path, err := exec.LookPath("ssh")
	if err != nil {
		return nil, hint.Errorf("install the OpenSSH client", "there is no ssh in PATH")
	}
	args := pool.ConfigArgs()
	if to := target(h); to.Alternatives != "" {
		s, err := pool.Resolve(ctx, to)
		if err != nil {
			return nil, err
		}
		args = append(args, "-o", "HostKeyAlias="+s.HostKeyAlias)
		// If none answers, ssh reports why the first one does not.
		if address, err := pool.FindAddress(ctx, to); err == nil {
			reached := *h
			reached.Address, h = address, &reached
		}
	}
	ssh := exec.CommandContext(ctx, path, append(args, sshArgs(h, command)...)...)
	ssh.Env = env.Environ
	return ssh, nil
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
