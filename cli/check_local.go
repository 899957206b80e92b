package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// withLocal gives check its --local: the host that check is on, instead of the inventory.
func withLocal(env *Env, check *cobra.Command) *cobra.Command {
	local, socket := false, ""
	check.Flags().BoolVar(&local, "local", false, "look at this host's agent instead")
	check.Flags().StringVar(&socket, "socket", "", "with --local, the agent's `socket`; else all that this user may have, their own and the machine's")
	others := check.RunE
	check.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case local && len(args) > 0:
			return usage("fleetctl check --local --socket PATH looks at another socket", "check --local takes no FILE")
		case local && slices.ContainsFunc([]string{"flake", "connect", "format"}, cmd.Flags().Changed):
			return usage("check them one after the other", "--local is for this host's agent alone")
		case local:
			return runCheckLocal(cmd.Context(), env, socketsHere(env, socket))
		case cmd.Flags().Changed("socket"):
			return usage("add --local", "--socket is for the agent of this host")
		}
		return others(cmd, args)
	}
	return check
}

// socketsHere are the sockets to look at: the one that was named, or those that are where agents answer. On macOS two paths can lead
// to one.
func socketsHere(env *Env, named string) []string {
	if named != "" {
		return []string{named}
	}
	var there []string
	var seen []fs.FileInfo
	for _, socket := range health.Sockets(env.Getenv, env.Home, os.Getuid()) {
		info, err := os.Stat(socket)
		if err == nil && !slices.ContainsFunc(seen, func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			there, seen = append(there, socket), append(seen, info)
		}
	}
	if len(there) == 0 {
		return []string{health.Socket} // whose absence is said
	}
	return there
}

// runCheckLocal says of each socket who may ask there, and whether somebody answers.
func runCheckLocal(ctx context.Context, env *Env, sockets []string) error {
	var problems error
	for _, socket := range sockets {
		problems = errors.Join(problems, checkSocket(ctx, env, socket))
	}
	return problems
}

func checkSocket(ctx context.Context, env *Env, socket string) error {
	who, err := mayRead(socket)
	if errors.Is(err, fs.ErrNotExist) {
		return exit(fleet.ExitFailed, &hintedError{fmt.Errorf("there is no socket %q", socket),
			"enable services.fleetctl-agent, or start fleetctl-agent.socket; fleetctl works without, too"})
	} else if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s: %s\n", socket, who)

	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := health.NewAgentClient(health.DialSocket(socket))
	defer client.Close()
	start, log := keeperOf(socket)
	asked := env.Now()
	h, err := client.Health(ctx)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &hintedError{fmt.Errorf("%q may not ask at %s", env.User, socket), "join the socket's group, and log in again"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &hintedError{fmt.Errorf("nobody answers at %s", socket), start}
	case errors.Is(err, context.DeadlineExceeded):
		return &hintedError{fmt.Errorf("no answer at %s within %v", socket, patience), log}
	case err != nil:
		return fmt.Errorf("%s: %w", socket, err)
	}
	took := env.Now().Sub(asked).Round(time.Millisecond)
	fmt.Fprintf(env.Out, "%s: fleetctl %s answers for %s (%s) in %v\n", socket, h.Agent, h.Host, h.Kind, took)
	if h.NoUnits != "" {
		fmt.Fprintf(env.Out, "%s: which units have failed is not known: %s\n", socket, h.NoUnits)
	}
	return nil
}

// keeperOf is how to start the agent at a socket, and where it says what ails it.
func keeperOf(socket string) (start, log string) {
	switch {
	case runtime.GOOS != "linux":
		return "fleetctl agent --socket " + socket, "launchctl list says whether it runs"
	case strings.HasPrefix(socket, "/run/user/"):
		return "systemctl --user start fleetctl-agent.socket", "journalctl --user -u fleetctl-agent says why"
	}
	return "systemctl start fleetctl-agent.socket", "journalctl -u fleetctl-agent says why"
}

// mayRead is who a socket's mode lets in. Writing is what connecting takes.
func mayRead(socket string) (string, error) {
	info, err := os.Lstat(socket)
	if err != nil {
		return "", err
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	if info.Mode().Type() != fs.ModeSocket || !known {
		return "", fmt.Errorf("%q is no socket", socket)
	}
	mode := info.Mode().Perm()
	if mode&0o002 != 0 {
		return fmt.Sprintf("everybody on this host may ask (mode %#o)", mode), nil
	}
	who := []string{"root"}
	if mode&0o200 != 0 && stat.Uid != 0 {
		who = append(who, owner(stat.Uid))
	}
	if mode&0o020 != 0 {
		who = append(who, "the group "+group(stat.Gid))
	}
	return fmt.Sprintf("%s may ask (mode %#o)", strings.Join(who, ", "), mode), nil
}

func owner(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// group is a group's name, and those whom /etc/group has in it.
func group(gid uint32) string {
	id := strconv.FormatUint(uint64(gid), 10)
	text, err := os.ReadFile("/etc/group")
	if err != nil {
		return id
	}
	for line := range strings.Lines(string(text)) {
		// NAME:PASSWORD:GID:MEMBER,MEMBER
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 4 || fields[2] != id {
			continue
		}
		if fields[3] == "" {
			return fields[0]
		}
		return fields[0] + " (" + strings.ReplaceAll(fields[3], ",", ", ") + ")"
	}
	return id
}
