package sshexec

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sshQuery is the input of one `ssh -G` call. config makes queries distinct after the files change;
// a nil config queries the built-in defaults.
type sshQuery struct {
	target Target
	config *parsedConfig
}

// sshAnswer is the output of `ssh -G` and when it was made.
type sshAnswer struct {
	output sshOutput
	at     time.Time
}

// sshOutput is the output of `ssh -G`: values by keyword.
type sshOutput map[string][]string

// answerLifetime is how long the result of a command may be shared. What `Match exec` and
// CanonicalizeHostname depend on can change at any time, for example when a laptop changes the
// network, so each connection needs a new result. Those of one wave connect at the same time.
const answerLifetime = time.Second

func isRecent(at time.Time) bool { return time.Since(at) < answerLifetime }

// querySSH lets ssh read the configuration. It returns the values that differ from ssh's defaults.
func (r *resolver) querySSH(ctx context.Context, q sshQuery, why *unhandledSyntax) (map[string][]value, error) {
	if why.reason == errTooDeep {
		return nil, errors.New(why.String())
	}
	q.target.Timeout = 0
	recent := func(a sshAnswer) bool { return isRecent(a.at) }
	answer, err := r.queries.get(ctx, q, recent, func() (sshAnswer, error) { return r.run(r.queryArgs(q), why) })
	if err != nil {
		return nil, err
	}
	defaults, err := r.defaults(ctx, why)
	if err != nil {
		return nil, err
	}
	return answer.output.configured(defaults, q.target), nil
}

// defaults returns ssh's defaults: `ssh -G` prints them like configured values.
func (r *resolver) defaults(ctx context.Context, why *unhandledSyntax) (sshOutput, error) {
	always := func(sshAnswer) bool { return true }
	defaults, err := r.queries.get(ctx, sshQuery{}, always, func() (sshAnswer, error) {
		return r.run([]string{"-F", "none", "--", "localhost"}, why)
	})
	return defaults.output, err
}

// configured returns the values that differ from ssh's defaults.
func (o sshOutput) configured(defaults sshOutput, t Target) map[string][]value {
	values := make(map[string][]value)
	for keyword, lines := range o {
		isTarget := keyword == "hostname" || keyword == "port" || keyword == "user" && t.User != ""
		if !isTarget && slices.Equal(lines, defaults[keyword]) {
			continue
		}
		for _, line := range lines {
			v := value{args: []string{line}, origin: OriginSSH}
			if strings.HasSuffix(keyword, "knownhostsfile") {
				v.args = strings.Fields(line)
			}
			if keyword == "hostname" || keyword == "identityagent" || keyword == "userknownhostsfile" {
				// ssh has expanded the tokens of these.
				for i := range v.args {
					v.args[i] = strings.ReplaceAll(v.args[i], "%", "%%")
				}
			}
			values[keyword] = append(values[keyword], v)
		}
	}
	if values["proxyjump"] != nil {
		delete(values, "proxycommand") // the one that ssh makes of ProxyJump
	}
	return values
}

// queryAlgorithms returns the lists of algorithms that ssh makes of the given options.
func (r *resolver) queryAlgorithms(ctx context.Context, args []string, why *unhandledSyntax) (sshOutput, error) {
	always := func(sshOutput) bool { return true }
	return r.algorithms.get(ctx, strings.Join(args, " "), always, func() (sshOutput, error) {
		answer, err := r.run(slices.Concat([]string{"-F", "none"}, args, []string{"--", "localhost"}), why)
		return answer.output, err
	})
}

// sshVersion returns the version of the installed ssh, such as OpenSSH_10.0p2.
func (r *resolver) sshVersion(ctx context.Context) (string, error) {
	always := func(string) bool { return true }
	return r.version.get(ctx, struct{}{}, always, func() (string, error) {
		out, err := exec.CommandContext(r.ctx, "ssh", "-V").CombinedOutput()
		version, _, _ := strings.Cut(strings.TrimSpace(string(out)), ", ")
		if err != nil {
			err = fmt.Errorf("ssh -V: %w", err)
		}
		return version, err
	})
}

// sshQueryTimeout limits `ssh -G`, which can block on Match exec or CanonicalizeHostname.
const sshQueryTimeout = 30 * time.Second

// runSSH runs `ssh -G`. why is the reason, which becomes the error if ssh is not installed.
func (r *resolver) runSSH(args []string, why *unhandledSyntax) (sshAnswer, error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		return sshAnswer{}, fmt.Errorf("%s: only ssh itself can read this, and ssh is not in PATH: %w", why, exec.ErrNotFound)
	}
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	ctx, cancel := context.WithTimeout(r.ctx, sshQueryTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"-G"}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil && r.ctx.Err() == nil:
			return sshAnswer{}, fmt.Errorf("ssh -G did not finish within %v", sshQueryTimeout)
		case errors.As(err, &exit) && len(exit.Stderr) > 0:
			return sshAnswer{}, errors.New(strings.ReplaceAll(strings.TrimSpace(string(exit.Stderr)), "\r\n", "; "))
		}
		return sshAnswer{}, fmt.Errorf("ssh -G: %w", err)
	}
	return sshAnswer{parseSSHOutput(string(out)), time.Now()}, nil
}

func parseSSHOutput(text string) sshOutput {
	output := sshOutput{}
	for line := range strings.Lines(text) {
		keyword, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		keyword = strings.ToLower(keyword)
		output[keyword] = append(output[keyword], value)
	}
	return output
}

func (r *resolver) queryArgs(q sshQuery) []string {
	args := slices.Clone(r.options.configArgs())
	if q.target.Address != "" {
		args = append(args, "-o", "HostName="+strings.ReplaceAll(q.target.Address, "%", "%%"))
	}
	if q.target.User != "" {
		args = append(args, "-l", q.target.User)
	}
	if q.target.Port != 0 {
		args = append(args, "-p", strconv.Itoa(q.target.Port))
	}
	return append(args, "--", q.target.Name)
}
