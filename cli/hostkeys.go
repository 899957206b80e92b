package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/sshexec"
)

// hostKeyTimeout limits how long hosts with unknown keys are waited for before the operator is
// prompted. Those that take longer are unreachable in what follows, or fail because of their key.
const hostKeyTimeout = 10 * time.Second

// acceptHostKeys prompts for the host keys that no known_hosts file has, if there is a terminal:
// for all hosts at once, and then for those behind bastions whose keys were accepted. Its error
// means that the prompt was interrupted. After declined keys, the hosts fail on their own.
func (env *Env) acceptHostKeys(ctx context.Context, pool *sshexec.Pool, hosts []*inventory.Host) error {
	if !env.InTTY || !env.ErrTTY || len(hosts) == 0 {
		return nil
	}
	var targets []sshexec.Target
	for _, h := range hosts {
		if !h.Local {
			targets = append(targets, target(h))
		}
	}
	for {
		lookup, cancel := context.WithTimeout(ctx, hostKeyTimeout)
		keys := pool.UnknownKeys(lookup, targets)
		cancel()
		if len(keys) == 0 {
			return nil
		}
		fmt.Fprint(env.Err, hostKeysQuestion(keys)+" [y/N] ")
		answer, err := readLine(env.In)
		if err != nil {
			fmt.Fprintln(env.Err)
			return exit(fleet.ExitInterrupted, errors.New("interrupted; no host key was accepted"))
		}
		if !isYes(answer) {
			return nil
		}
		for _, key := range keys {
			if err := pool.Accept(key); err != nil {
				fmt.Fprintf(env.Err, "%s: %v\n", key.Host, err)
				return nil
			}
		}
	}
}

// unlessYes returns the hosts for whose unknown keys to prompt: none with --yes.
func unlessYes(yes bool, hosts []*inventory.Host) []*inventory.Host {
	if yes {
		return nil
	}
	return hosts
}

// hostKeysQuestion asks about the keys of all hosts at once.
func hostKeysQuestion(keys []*sshexec.UnknownKey) string {
	width, file := 0, keys[0].File
	for _, k := range keys {
		width = max(width, len(k.Host))
		if k.File != file {
			file = "known_hosts"
		}
	}
	which, question := fmt.Sprintf("%d hosts", len(keys)), fmt.Sprintf("Accept all %d keys", len(keys))
	if len(keys) == 1 {
		which, question = "1 host", "Accept the key"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "No known_hosts file has a key for %s:\n", which)
	for _, k := range keys {
		fmt.Fprintf(&b, "  %-*s  %s  %s  %s\n", width, k.Host, k.Type, k.Fingerprint, k.HostName)
	}
	b.WriteString("Compare each with the host's own key. On its console, run: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n" +
		"(or the file for that key type). If they differ, the connection may be intercepted.\n")
	fmt.Fprintf(&b, "%s, and add to %s?", question, file)
	return b.String()
}
