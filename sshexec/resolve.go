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
	validated    cache[*parsedConfig, error] // why ssh rejects configurations with odd lines
	sets         cache[blockSet, sshAnswer]
	version      cache[struct{}, string]
	slots        chan struct{} // bounds concurrent processes

	lookup lookupFunc                                                   // for CanonicalizeHostname
	run    func(args []string, why *unhandledSyntax) (sshAnswer, error) // runSSH, except in tests

	mu            sync.Mutex
	parsed        *parsedConfig
	staticNames   []string // sorted
	staticNamesAt fileStamp
}

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
	severalAddresses := t.Alternatives != ""
	t.Alternatives = ""
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
		if err := p.resolver.rejectsOddLines(ctx, config, t); err != nil {
			return Settings{Alias: t.Name}, err
		}
		e, err := p.evaluate(ctx, config, t)
		if err == nil && e.unhandled == nil {
			err = p.resolver.interpretOddValues(ctx, config, e)
		}
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
	if severalAddresses && s.HostKeyAlias == "" {
		s.HostKeyAlias, s.Origins["HostKeyAlias"] = t.Name, OriginTarget
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
	if err := s.limitMethods(); err != nil {
		return err
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

// rejectsOddLines returns ssh's error if it rejects the configuration because of an odd line, or
// cannot resolve the target for another reason. If ssh accepts the configuration for one target,
// every line in it is valid.
func (r *resolver) rejectsOddLines(ctx context.Context, config *parsedConfig, t Target) error {
	if config.odd == nil {
		return nil
	}
	always := func(error) bool { return true }
	rejection, err := r.validated.get(ctx, config, always, func() (error, error) {
		_, err := r.run(r.queryArgs(sshQuery{t, config}), config.odd)
		if err != nil && strings.Contains(err.Error(), " line ") {
			return err, nil // for every target
		}
		return nil, err
	})
	if err != nil { // perhaps of another target, which shared the call
		_, err = r.querySSH(ctx, sshQuery{t, config}, config.odd)
	}
	return cmp.Or(rejection, err)
}

// blockSet identifies the blocks that apply to a target.
type blockSet struct {
	config *parsedConfig
	blocks string
	target Target // set if a value has tokens, which ssh expands for each target
}

// interpretOddValues replaces the odd values in an evaluation with what ssh makes of them. It asks
// once for all targets to which the same blocks apply.
func (r *resolver) interpretOddValues(ctx context.Context, config *parsedConfig, e *evaluation) error {
	if !e.trackOdd {
		return nil
	}
	set := blockSet{config: config, blocks: string(e.blocks)}
	var odd []string
	for keyword, values := range e.values {
		i := slices.IndexFunc(values, value.isOdd)
		if i < 0 || !lookupKeyword(keyword).isSetting() && lookupKeyword(keyword).treatment != refused {
			continue
		}
		odd = append(odd, keyword)
		if strings.ContainsAny(strings.Join(values[i].args, " "), "%$") {
			set.target = e.target
		}
	}
	if odd == nil {
		return nil
	}
	always := func(sshAnswer) bool { return true }
	answer, err := r.sets.get(ctx, set, always, func() (sshAnswer, error) {
		return r.run(r.queryArgs(sshQuery{e.target, config}), config.odd)
	})
	if err != nil {
		return err
	}
	defaults, err := r.defaults(ctx, config.odd)
	if err != nil {
		return err
	}
	configured := answer.output.configured(defaults, e.target)
	for _, keyword := range odd {
		origin := e.values[keyword][slices.IndexFunc(e.values[keyword], value.isOdd)].origin
		if e.values[keyword] = configured[keyword]; e.values[keyword] == nil {
			delete(e.values, keyword)
		}
		for i := range e.values[keyword] {
			e.values[keyword][i].origin = origin
		}
	}
	return nil
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
			values[keyword] = []value{{args: output[keyword], origin: v[0].origin}}
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
