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
	options *Options
	ctx     context.Context // the Pool's
	queries cache[sshQuery, sshOutput]
	slots   chan struct{} // bounds concurrent `ssh -G` processes

	mu     sync.Mutex
	parsed *parsedConfig
}

// sshQuery is the input of one `ssh -G` call. config makes queries distinct after the files change;
// a nil config queries the built-in defaults.
type sshQuery struct {
	target Target
	config *parsedConfig
}

// sshOutput is the output of `ssh -G`: values by keyword.
type sshOutput map[string][]string

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
	userParser := configParser{
		home: r.options.Home, dir: filepath.Join(r.options.Home, ".ssh"), result: r.parsed,
	}
	file := r.options.ConfigFile
	if file == "" {
		file = filepath.Join(r.options.Home, ".ssh/config")
		userParser.checkMode = true
	}
	r.parsed.directives = userParser.parseFile(file)
	if r.options.ConfigFile == "" && r.options.usesPasswdHome() {
		systemParser := configParser{
			home: r.options.Home, dir: filepath.Dir(systemConfig), result: r.parsed,
		}
		system := directive{included: [][]directive{systemParser.parseFile(systemConfig)}}
		r.parsed.directives = append(r.parsed.directives, system)
	}
	return r.parsed
}

// Resolve returns the settings for a target: its own values, then those from ssh_config(5), then
// OpenSSH's defaults. It does not connect to the host.
func (p *Pool) Resolve(ctx context.Context, t Target) (Settings, error) {
	s, err := p.resolve(ctx, t)
	if err != nil {
		return s, p.errorFor(t, "config", KindConfig, err)
	}
	return s, nil
}

func (p *Pool) resolve(ctx context.Context, t Target) (Settings, error) {
	if t.Name == "" || t.Name[0] == '-' {
		return Settings{}, fmt.Errorf("invalid host name %q", t.Name)
	}
	s := Settings{Alias: t.Name}
	assigned := map[string]bool{}
	set := func(keyword string, args []string) { s.assign(assigned, keyword, args) }
	parsed := p.resolver.load()
	if parsed.unhandled != nil {
		// The target's values are arguments of the query, so its output includes them.
		if err := p.resolver.querySSH(ctx, sshQuery{t, parsed}, set); err != nil {
			return s, err
		}
	} else {
		s.Hostname, s.User, s.Port = t.Address, t.User, t.Port
		assigned["hostname"], assigned["user"], assigned["port"] = t.Address != "", t.User != "", t.Port != 0
		applyDirectives(parsed.directives, t.Name, true, set)
	}
	s.IdentityFilesConfigured = len(s.IdentityFiles) > 0
	return s, p.applyDefaults(&s, t)
}

// applyDefaults sets what is not configured to the defaults in ssh_config(5), and expands tokens
// and ~ in paths.
func (p *Pool) applyDefaults(s *Settings, t Target) error {
	s.Hostname = cmp.Or(s.Hostname, t.Name)
	s.User = cmp.Or(s.User, p.options.User)
	s.Port = cmp.Or(s.Port, 22)
	s.StrictHostKeyChecking = cmp.Or(s.StrictHostKeyChecking, "ask")
	s.AddressFamily = cmp.Or(s.AddressFamily, "any")
	s.ServerAliveCountMax = cmp.Or(s.ServerAliveCountMax, 3)
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
	if s.ProxyJump != "" && strings.ContainsAny(s.ProxyJump, "%$") {
		return fmt.Errorf("unsupported token in ProxyJump %q", s.ProxyJump)
	}
	if err := limitAlgorithms(s); err != nil {
		return err
	}
	agentSocket := []string{s.IdentityAgent}
	for _, paths := range [][]string{
		s.IdentityFiles, s.CertificateFiles, s.UserKnownHostsFiles, s.GlobalKnownHostsFiles, agentSocket,
	} {
		for i, path := range paths {
			path, err := p.expandTokens(path, *s)
			if err != nil {
				return err
			}
			paths[i] = expandTilde(path, p.options.Home)
		}
	}
	s.IdentityAgent = agentSocket[0]
	return nil
}

// querySSH lets ssh read the configuration and calls set for each keyword with a value that differs
// from ssh's defaults.
func (r *resolver) querySSH(ctx context.Context, q sshQuery, set func(keyword string, args []string)) error {
	always := func(sshOutput) bool { return true }
	output, err := r.queries.get(ctx, q, always, func() (sshOutput, error) { return r.runSSH(q) })
	if err != nil {
		return err
	}
	// ssh -G prints defaults and configured values alike.
	defaults, err := r.queries.get(ctx, sshQuery{}, always, func() (sshOutput, error) {
		return r.runSSH(sshQuery{})
	})
	if err != nil {
		return err
	}
	for keyword, isUnsupported := range unsupportedKeywords {
		values := output[keyword]
		if values != nil && !slices.Equal(values, defaults[keyword]) && isUnsupported(values[0]) {
			return fmt.Errorf("ssh_config(5) sets %s to %q, which fleetctl does not support", keyword, values[0])
		}
	}
	for keyword, values := range output {
		isTarget := keyword == "hostname" || keyword == "user" || keyword == "port"
		if !isTarget && slices.Equal(values, defaults[keyword]) {
			continue
		}
		for _, value := range values {
			args := []string{value}
			if strings.HasSuffix(keyword, "knownhostsfile") {
				args = strings.Fields(value)
			}
			set(keyword, args)
		}
	}
	return nil
}

// unsupportedKeywords lists the keywords that make a login stricter, or change its route, in a way
// that this package does not implement, with the values that do so. Ignoring them would be unsafe,
// and rejecting their harmless values would reject every configuration.
var unsupportedKeywords = map[string]func(value string) bool{
	"bindinterface":        func(v string) bool { return v != "none" },
	"knownhostscommand":    func(v string) bool { return v != "none" },
	"revokedhostkeys":      func(v string) bool { return v != "none" },
	"proxyusefdpass":       isYes,
	"pubkeyauthentication": func(v string) bool { return v == "false" || v == "no" },
}

// sshQueryTimeout limits `ssh -G`, which can block on Match exec or CanonicalizeHostname.
const sshQueryTimeout = 30 * time.Second

func (r *resolver) runSSH(q sshQuery) (sshOutput, error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		if q.config == nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s: only ssh itself can read this, and ssh is not in PATH", q.config.unhandled)
	}
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	ctx, cancel := context.WithTimeout(r.ctx, sshQueryTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, r.queryArgs(q)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			return nil, errors.New(strings.ReplaceAll(strings.TrimSpace(string(exit.Stderr)), "\r\n", "; "))
		}
		return nil, fmt.Errorf("ssh -G: %w", err)
	}
	output := sshOutput{}
	for line := range strings.Lines(string(out)) {
		keyword, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		output[keyword] = append(output[keyword], value)
	}
	return output, nil
}

func (r *resolver) queryArgs(q sshQuery) []string {
	if q.config == nil {
		return []string{"-G", "-F", "none", "--", "localhost"}
	}
	args := append([]string{"-G"}, r.options.configArgs()...)
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
