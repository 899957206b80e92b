package sshexec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const systemConfig = "/etc/ssh/ssh_config"

// defaultIdentityFiles are the keys that ssh tries if no IdentityFile is configured
// (ssh_config(5)).
var defaultIdentityFiles = []string{
	"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk", "~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk",
}

// resolver looks up targets in ssh_config(5).
type resolver struct {
	options      *Options
	ctx          context.Context // the Pool's
	systemConfig string          // "" means none
	queries      cache[sshQuery, sshAnswer]
	commands     cache[string, commandResult] // of Match exec
	algorithms   cache[string, sshOutput]
	version      cache[struct{}, string]
	slots        chan struct{} // bounds concurrent processes

	mu     sync.Mutex
	parsed *parsedConfig
}

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

// ConfigArgs returns the arguments that make ssh(1) read the same configuration as the Pool.
func (p *Pool) ConfigArgs() []string { return p.options.configArgs() }

func (o *Options) configArgs() []string {
	file := o.ConfigFile
	if file == "" && !o.usesPasswdHome() {
		// ssh takes the home directory from passwd(5) and ignores $HOME.
		file = filepath.Join(o.Home, ".ssh/config")
		if _, err := os.Stat(file); err != nil {
			file = "none"
		}
	}
	if file == "" {
		return nil
	}
	return []string{"-F", file}
}

// usesPasswdHome reports whether Home is the home directory that ssh would use.
func (o *Options) usesPasswdHome() bool {
	current, err := user.Current()
	return err != nil || filepath.Clean(current.HomeDir) == filepath.Clean(o.Home)
}

// load parses the configuration files. It returns the previous result if no file has changed.
func (r *resolver) load() *parsedConfig {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parsed != nil && r.parsed.unchanged() {
		return r.parsed
	}
	r.parsed = &parsedConfig{}
	p := configParser{
		home: r.options.Home, getenv: r.options.Getenv, dir: filepath.Join(r.options.Home, ".ssh"), isUser: true,
		result: r.parsed, ignored: new([]string),
	}
	file := r.options.ConfigFile
	if file == "" {
		file = filepath.Join(r.options.Home, ".ssh/config")
		p.checkMode = true
	}
	r.parsed.files = append(r.parsed.files, p.parseFile(file))
	if r.systemConfig != "" {
		p.dir, p.isUser, p.checkMode = filepath.Dir(r.systemConfig), false, false
		r.parsed.files = append(r.parsed.files, p.parseFile(r.systemConfig))
	}
	return r.parsed
}

// Resolve returns the settings for a target: its own values, then those from ssh_config(5), then
// OpenSSH's defaults. It does not connect to the host. Commands in the configuration run for each
// call, unless another call has run them within the last second.
func (p *Pool) Resolve(ctx context.Context, t Target) (Settings, error) {
	s, err := p.resolve(ctx, t)
	if err != nil {
		return s, p.errorFor(t, "config", KindConfig, err)
	}
	return s, nil
}

func (p *Pool) resolve(ctx context.Context, t Target) (Settings, error) {
	if t.Name == "" || !isSafeHostname(t.Name) || !isSafeHostname(t.Address) {
		return Settings{}, fmt.Errorf("invalid host name %q", cmp.Or(t.Name, t.Address))
	}
	if !isSafeUser(t.User) {
		return Settings{}, fmt.Errorf("invalid user name %q", t.User)
	}
	config := p.resolver.load()
	unhandled := config.unhandled
	if unhandled == nil {
		unhandled = p.resolver.checkAlgorithms(ctx, config)
	}
	var values map[string][]value
	if unhandled == nil {
		e, err := p.evaluate(ctx, config, t)
		if err != nil {
			return Settings{Alias: t.Name}, err
		}
		values, unhandled = e.values, e.unhandled
	}
	if unhandled != nil {
		var err error
		if values, err = p.resolver.querySSH(ctx, sshQuery{t, config}, unhandled); err != nil {
			return Settings{Alias: t.Name}, err
		}
	} else if err := p.resolver.expandAlgorithms(ctx, values); err != nil {
		return Settings{Alias: t.Name}, err
	}
	s, err := newSettings(t, values)
	if err != nil {
		return s, err
	}
	return s, p.applyDefaults(&s, t)
}

// isSafeHostname reports whether ssh accepts a host name as an argument. Others could inject shell
// code into a ProxyCommand or a command of Match exec (ssh_valid_hostname in readconf.c).
func isSafeHostname(name string) bool {
	unsafe := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("'`\"$\\;&<>|(){}", r) }
	return !strings.HasPrefix(name, "-") && !strings.ContainsFunc(name, unsafe)
}

// isSafeUser reports whether ssh accepts a user name as an argument (ssh_valid_ruser in
// readconf.c).
func isSafeUser(name string) bool {
	unsafe := func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune("'`\";&<>|(){}", r) }
	return !strings.HasPrefix(name, "-") && !strings.ContainsFunc(name, unsafe) && !strings.Contains(name, " -") &&
		!strings.HasSuffix(name, "\\")
}

// applyDefaults sets what is not configured to the defaults in ssh_config(5), and expands tokens
// and ~ in paths.
func (p *Pool) applyDefaults(s *Settings, t Target) error {
	s.Hostname = cmp.Or(s.Hostname, normalizeHostname(t.Name, s.AddressFamily))
	s.User = cmp.Or(s.User, p.options.User)
	s.Port = cmp.Or(s.Port, 22)
	s.StrictHostKeyChecking = cmp.Or(s.StrictHostKeyChecking, "ask")
	s.AddressFamily = cmp.Or(s.AddressFamily, "any")
	s.ConnectTimeout = cmp.Or(s.ConnectTimeout, defaultConnectTimeout)
	s.ConnectionAttempts = cmp.Or(s.ConnectionAttempts, 1)
	s.NumberOfPasswordPrompts = cmp.Or(s.NumberOfPasswordPrompts, 3)
	s.RequiredRSASize = cmp.Or(s.RequiredRSASize, 1024) // SSH_RSA_MINIMUM_MODULUS_SIZE in sshkey.h
	if s.IdentityFiles == nil {
		s.IdentityFiles = slices.Clone(defaultIdentityFiles)
	}
	if s.UserKnownHostsFiles == nil {
		s.UserKnownHostsFiles = []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"}
	}
	if s.GlobalKnownHostsFiles == nil {
		s.GlobalKnownHostsFiles = []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}
	}
	switch s.IdentityAgent {
	case "", "SSH_AUTH_SOCK":
		s.IdentityAgent = p.options.Getenv("SSH_AUTH_SOCK")
	case noAgent:
		s.IdentityAgent = ""
	default:
		if name, ok := strings.CutPrefix(s.IdentityAgent, "$"); ok && !strings.HasPrefix(name, "{") {
			s.IdentityAgent = p.options.Getenv(name)
		}
	}
	// ssh turns ProxyJump into a ProxyCommand, whose tokens it expands.
	jump, err := p.expandPercent(s.ProxyJump, proxyCommandTokens, *s)
	if err != nil {
		return fmt.Errorf("ProxyJump: %w", err)
	}
	s.ProxyJump = jump
	if h, err := parseJump(jump); err == nil && h.name == s.Hostname && cmp.Or(h.port, 22) == s.Port && cmp.Or(h.user, s.User) == s.User {
		return fmt.Errorf("ProxyJump loop through %q", h.name) // as in ssh.c
	}
	if err := limitAlgorithms(s); err != nil {
		return err
	}
	agentSocket := []string{s.IdentityAgent}
	for _, paths := range [][]string{s.IdentityFiles, s.CertificateFiles, s.UserKnownHostsFiles, agentSocket} {
		for i, path := range paths {
			path, err := p.expandTokens(path, *s)
			if err != nil {
				return err
			}
			paths[i] = expandTilde(path, p.options.Home)
		}
	}
	for i, path := range s.GlobalKnownHostsFiles { // has no tokens
		s.GlobalKnownHostsFiles[i] = expandTilde(path, p.options.Home)
	}
	s.IdentityAgent = agentSocket[0]
	return p.resolveForwardAgent(s)
}

// originSSH is the origin of values from `ssh -G`, which does not print where they come from.
const originSSH = "ssh -G"

// querySSH lets ssh read the configuration. It returns the values that differ from ssh's defaults.
func (r *resolver) querySSH(ctx context.Context, q sshQuery, why *unhandledSyntax) (map[string][]value, error) {
	if why.reason == errTooDeep {
		return nil, errors.New(why.String())
	}
	q.target.Timeout = 0
	recent := func(a sshAnswer) bool { return isRecent(a.at) }
	always := func(sshAnswer) bool { return true }
	answer, err := r.queries.get(ctx, q, recent, func() (sshAnswer, error) { return r.runSSH(r.queryArgs(q), why) })
	if err != nil {
		return nil, err
	}
	// ssh -G prints defaults and configured values alike.
	defaults, err := r.queries.get(ctx, sshQuery{}, always, func() (sshAnswer, error) {
		return r.runSSH([]string{"-F", "none", "--", "localhost"}, why)
	})
	if err != nil {
		return nil, err
	}
	return answer.output.configured(defaults.output, q.target), nil
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
			v := value{[]string{line}, originSSH}
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

// algorithmKeywords have values that depend on the algorithms of the installed ssh.
var algorithmKeywords = []string{
	"hostkeyalgorithms", "ciphers", "macs", "kexalgorithms", "pubkeyacceptedalgorithms", "casignaturealgorithms",
}

// checkAlgorithms returns a reason to leave the configuration to ssh if it rejects a list of
// algorithms in it, so that the error names the line.
func (r *resolver) checkAlgorithms(ctx context.Context, config *parsedConfig) *unhandledSyntax {
	if config.algorithms == nil {
		return nil
	}
	var args []string
	for _, list := range config.algorithms {
		args = append(args, "-o", list)
	}
	if _, err := r.queryAlgorithms(ctx, args, &config.algorithmsFrom); err != nil && !errors.Is(err, exec.ErrNotFound) {
		return &config.algorithmsFrom
	}
	return nil
}

// queryAlgorithms returns the lists of algorithms that ssh makes of the given options.
func (r *resolver) queryAlgorithms(ctx context.Context, args []string, why *unhandledSyntax) (sshOutput, error) {
	always := func(sshOutput) bool { return true }
	return r.algorithms.get(ctx, strings.Join(args, " "), always, func() (sshOutput, error) {
		answer, err := r.runSSH(slices.Concat([]string{"-F", "none"}, args, []string{"--", "localhost"}), why)
		return answer.output, err
	})
}

// expandAlgorithms lets ssh expand lists of algorithms, such as +ssh-rsa or aes*. It asks once for
// each distinct set of lists.
func (r *resolver) expandAlgorithms(ctx context.Context, values map[string][]value) error {
	var args []string
	plain := true
	for _, keyword := range algorithmKeywords {
		if v := values[keyword]; v != nil {
			args = append(args, "-o", keyword+"="+v[0].args[0])
			plain = plain && !strings.ContainsAny(v[0].args[0], "+^*?!") && v[0].args[0][0] != '-'
		}
	}
	if args == nil {
		return nil
	}
	first := values[strings.SplitN(args[1], "=", 2)[0]][0]
	output, err := r.queryAlgorithms(ctx, args,
		&unhandledSyntax{file: first.origin, reason: "lists of algorithms depend on the version of ssh"})
	if errors.Is(err, exec.ErrNotFound) && plain {
		return nil
	}
	if err != nil {
		return err
	}
	for _, keyword := range algorithmKeywords {
		if v := values[keyword]; v != nil && output[keyword] != nil {
			values[keyword] = []value{{output[keyword], v[0].origin}}
		}
	}
	return nil
}

// commandResult is the result of a command of Match exec.
type commandResult struct {
	matched bool
	at      time.Time
}

// matchExec runs a command of Match exec and reports whether it succeeded (execute_in_shell in
// readconf.c).
func (r *resolver) matchExec(ctx context.Context, command string) (bool, error) {
	recent := func(c commandResult) bool { return isRecent(c.at) }
	result, err := r.commands.get(ctx, command, recent, func() (commandResult, error) {
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
		ctx, cancel := context.WithTimeout(r.ctx, sshQueryTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, cmp.Or(r.options.Getenv("SHELL"), "/bin/sh"), "-c", command)
		cmd.WaitDelay = time.Second
		err := cmd.Run()
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return commandResult{}, fmt.Errorf("the command %q of Match exec did not finish within %v", command, sshQueryTimeout)
		case err != nil && (!errors.As(err, &exit) || !exit.Exited()):
			return commandResult{}, fmt.Errorf("the command %q of Match exec: %w", command, err)
		}
		return commandResult{err == nil, time.Now()}, nil
	})
	return result.matched, err
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
