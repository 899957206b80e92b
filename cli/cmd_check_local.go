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
	"github.com/markus-barta/nixfleet/internal/hint"
)

// withLocal adds --local to check: it checks this host's health agent instead of the inventory.
func withLocal(env *Env, check *cobra.Command) *cobra.Command {
	local, socket := false, ""
	check.Flags().BoolVar(&local, "local", false, "check this host's health agent instead")
	pathVar(check.Flags(), &socket, "socket", "SOCKET", "with --local, check the agent at this socket (default: the user's own and the machine's)")
	runE := check.RunE
	check.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case local && len(args) > 0:
			return usage("to check another socket, use --socket PATH", "--local does not accept a FILE")
		case local && slices.ContainsFunc([]string{"flake", "connect", "format"}, cmd.Flags().Changed):
			return usage("run them separately", "--local cannot be combined with --flake, --connect or --format")
		case local:
			return runCheckLocal(cmd.Context(), env, agentSockets(env, socket))
		case cmd.Flags().Changed("socket"):
			return usage("add --local", "--socket requires --local")
		}
		return runE(cmd, args)
	}
	return check
}

// agentSockets returns the sockets to check: the named one or, if the name is empty, those that
// exist at the agent's usual paths. Two paths may lead to the same socket; it is returned once.
func agentSockets(env *Env, named string) []string {
	if named != "" {
		return []string{named}
	}
	var sockets []string
	var seen []fs.FileInfo
	for _, socket := range health.Sockets(env.Getenv, env.Home, os.Getuid()) {
		info, err := os.Stat(socket)
		if err == nil && !slices.ContainsFunc(seen, func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			sockets, seen = append(sockets, socket), append(seen, info)
		}
	}
	if len(sockets) == 0 {
		return []string{health.Socket} // checkSocket reports that it is missing
	}
	return sockets
}

// runCheckLocal prints, for each socket, who may connect and which agent answers.
func runCheckLocal(ctx context.Context, env *Env, sockets []string) error {
	var problems error
	for _, socket := range sockets {
		problems = errors.Join(problems, checkSocket(ctx, env, socket))
	}
	return problems
}

func checkSocket(ctx context.Context, env *Env, socket string) error {
	access, err := socketAccess(socket)
	if errors.Is(err, fs.ErrNotExist) {
		return exit(fleet.ExitFailed, hint.Errorf("enable services.fleetctl-agent, or start fleetctl-agent.socket; the agent is optional", "no socket %q", socket))
	} else if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s: %s\n", socket, access)

	const timeout = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client := health.NewAgentClient(health.DialSocket(socket))
	defer client.Close()
	startHint, logHint := agentHints(socket)
	start := env.Now()
	h, err := client.Health(ctx)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return hint.Errorf("join the socket's group and log in again", "user %q may not connect to %s", env.User, socket)
	case errors.Is(err, syscall.ECONNREFUSED):
		return hint.Errorf(startHint, "no agent is listening on %s", socket)
	case errors.Is(err, context.DeadlineExceeded):
		return hint.Errorf(logHint, "no answer on %s within %v", socket, timeout)
	case err != nil:
		return fmt.Errorf("%s: %w", socket, err)
	}
	took := env.Now().Sub(start).Round(time.Millisecond)
	fmt.Fprintf(env.Out, "%s: fleetctl %s answers for %s (%s) in %v\n", socket, h.Agent, h.Host, h.Kind, took)
	if h.NoUnits != "" {
		fmt.Fprintf(env.Out, "%s: failed units are unknown: %s\n", socket, h.NoUnits)
	}
	return nil
}

// agentHints returns hints on how to start the agent of a socket and where to find its errors.
func agentHints(socket string) (start, log string) {
	switch {
	case runtime.GOOS != "linux":
		return "fleetctl agent --socket " + socket, "launchctl list shows whether it is running"
	case strings.HasPrefix(socket, "/run/user/"):
		return "systemctl --user start fleetctl-agent.socket", "see journalctl --user -u fleetctl-agent"
	}
	return "systemctl start fleetctl-agent.socket", "see journalctl -u fleetctl-agent"
}

// socketAccess describes who may connect to a socket, which requires write permission.
func socketAccess(socket string) (string, error) {
	info, err := os.Lstat(socket)
	if err != nil {
		return "", err
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	if info.Mode().Type() != fs.ModeSocket || !known {
		return "", fmt.Errorf("%q is not a socket", socket)
	}
	mode := info.Mode().Perm()
	if mode&0o002 != 0 {
		return fmt.Sprintf("every user of this host may connect (mode %#o)", mode), nil
	}
	users := []string{"root"}
	if mode&0o200 != 0 && stat.Uid != 0 {
		users = append(users, userName(stat.Uid))
	}
	if mode&0o020 != 0 {
		users = append(users, "group "+groupName(stat.Gid))
	}
	return fmt.Sprintf("%s may connect (mode %#o)", strings.Join(users, ", "), mode), nil
}

// userName returns the name of a user, or the ID if it has none.
func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// groupName returns a group's name and, in parentheses, its members in /etc/group.
func groupName(gid uint32) string {
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
