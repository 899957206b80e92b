package sshexec

import (
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

// usualIdentities are the keys that ssh tries where no IdentityFile is given.
var defaultIdentityFiles = []string{"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk", "~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk"}

// resolver answers what ssh_config(5) says of a target.
type resolver struct {
	options *Options
	ctx     context.Context // the Pool's
	queries   cache[sshQuery, sshOutput]
	slots  chan struct{} // a slot for each `ssh -G` at a time

	mu   sync.Mutex
	parsed *parsedConfig
}

// question is a target as `ssh -G` is asked for it, while the files are those of one reading.
type sshQuery struct {
	target  Target
	config *parsedConfig
}

// answer is what `ssh -G` printed, by keyword.
type sshOutput map[string][]string

// ConfigArgs are the arguments that make ssh(1) read the same configuration as this Pool does.
func (p *Pool) ConfigArgs() []string { return p.options.configArgs() }

func (o *Options) configArgs() []string {
	file := o.ConfigFile
	if file == "" && !o.usesPasswdHome() {
		// ssh looks for its files in the home directory of passwd(5), whatever $HOME says.
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

// ownHome reports whether Home is the one that ssh itself knows.
func (o *Options) usesPasswdHome() bool {
	me, err := user.Current()
	return err != nil || filepath.Clean(me.HomeDir) == filepath.Clean(o.Home)
}

// load reads the configuration files, or takes them as read before where they have not changed.
func (r *resolver) load() *parsedConfig {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parsed != nil && r.parsed.unchanged() {
		return r.parsed
	}
	r.parsed = &parsedConfig{}
	users := configParser{home: r.options.Home, dir: filepath.Join(r.options.Home, ".ssh"), result: r.parsed}
	file := r.options.ConfigFile
	if file == "" {
		file = filepath.Join(r.options.Home, ".ssh/config")
		users.checkMode = true
	}
	r.parsed.directives = users.parseFile(file)
	if r.options.ConfigFile == "" && r.options.usesPasswdHome() {
		system := configParser{home: r.options.Home, dir: filepath.Dir(systemConfig), result: r.parsed}
		r.parsed.directives = append(r.parsed.directives, directive{included: [][]directive{system.parseFile(systemConfig)}})
	}
	return r.parsed
}

// Resolve says what ssh_config(5) and the target together come to.
func (p *Pool) Resolve(ctx context.Context, t Target) (Settings, error) {
	s, err := p.resolve(ctx, t)
	if err != nil {
		return s, p.errorFor(t, "config", KindConfig, err)
	}
	return s, nil
}

func (p *Pool) resolve(ctx context.Context, t Target) (Settings, error) {
	if t.Name == "" || t.Name[0] == '-' {
		return Settings{}, fmt.Errorf("%q is not a host's name", t.Name)
	}
	s := Settings{Alias: t.Name}
	told := map[string]bool{}
	read := p.resolver.load()
	if read.unhandled != nil {
		// ssh is told what the target says, and its answer has it.
		err := p.resolver.querySSH(ctx, sshQuery{t, read}, func(keyword string, args []string) { s.assign(told, keyword, args) })
		if err != nil {
			return s, err
		}
	} else {
		s.Hostname, s.User, s.Port = t.Address, t.User, t.Port
		told["hostname"], told["user"], told["port"] = t.Address != "", t.User != "", t.Port != 0
		applyDirectives(read.directives, t.Name, true, func(keyword string, args []string) { s.assign(told, keyword, args) })
	}
	s.IdentityFilesConfigured = len(s.IdentityFiles) > 0
	return s, p.applyDefaults(&s, t)
}

// complete fills in what nothing was said about, as OpenSSH does, and makes paths of what was.
func (p *Pool) applyDefaults(s *Settings, t Target) error {
	// What the manual gives as the default.
	s.Hostname = orElse(s.Hostname, t.Name)
	s.User = orElse(s.User, p.options.User)
	s.Port = orElse(s.Port, 22)
	s.StrictHostKeyChecking = orElse(s.StrictHostKeyChecking, "ask")
	s.AddressFamily = orElse(s.AddressFamily, "any")
	s.ServerAliveCountMax = orElse(s.ServerAliveCountMax, 3)
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
		return fmt.Errorf("ProxyJump %q has tokens", s.ProxyJump)
	}
	if err := limitAlgorithms(s); err != nil {
		return err
	}
	lists := [][]string{s.IdentityFiles, s.CertificateFiles, s.UserKnownHostsFiles, s.GlobalKnownHostsFiles}
	single := []string{s.IdentityAgent}
	for _, list := range append(lists, single) {
		for i, path := range list {
			path, err := p.expandTokens(path, *s)
			if err != nil {
				return err
			}
			list[i] = expandTilde(path, p.options.Home)
		}
	}
	s.IdentityAgent = single[0]
	return nil
}

func orElse[T comparable](value, otherwise T) T {
	var none T
	if value == none {
		return otherwise
	}
	return value
}

// ask lets ssh itself read the configuration.
func (r *resolver) querySSH(ctx context.Context, q sshQuery, set func(keyword string, args []string)) error {
	there := func(sshOutput) bool { return true }
	said, err := r.queries.get(ctx, q, there, func() (sshOutput, error) { return r.runSSH(q) })
	if err != nil {
		return err
	}
	// What ssh says of a host it was told nothing about are its defaults, and no choice of anybody's.
	defaults, err := r.queries.get(ctx, sshQuery{}, there, func() (sshOutput, error) { return r.runSSH(sshQuery{}) })
	if err != nil {
		return err
	}
	for keyword, refusal := range unsupportedKeywords {
		if values := said[keyword]; values != nil && !slices.Equal(values, defaults[keyword]) && refusal(values[0]) {
			return fmt.Errorf("ssh_config(5) sets %s to %q, which fleetctl does not do", keyword, values[0])
		}
	}
	for keyword, values := range said {
		if chosen := !slices.Equal(values, defaults[keyword]); !chosen && keyword != "hostname" && keyword != "user" && keyword != "port" {
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

// unsupported are the keywords that would make a login safer, or go another way, than it does here. Passing over them
// would be wrong; so would be to refuse their harmless values.
var unsupportedKeywords = map[string]func(value string) bool{
	"bindinterface":        func(v string) bool { return v != "none" },
	"knownhostscommand":    func(v string) bool { return v != "none" },
	"revokedhostkeys":      func(v string) bool { return v != "none" },
	"proxyusefdpass":       isYes,
	"pubkeyauthentication": func(v string) bool { return v == "false" || v == "no" },
}

// longestAnswer bounds how long `ssh -G` may take: a Match exec or a CanonicalizeHostname may never answer.
const sshQueryTimeout = 30 * time.Second

func (r *resolver) runSSH(q sshQuery) (sshOutput, error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		if q.config == nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s is for ssh itself to read, and there is none in PATH", q.config.unhandled)
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
	said := sshOutput{}
	for line := range strings.Lines(string(out)) {
		keyword, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		said[keyword] = append(said[keyword], value)
	}
	return said, nil
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
