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
var usualIdentities = []string{"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk", "~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk"}

// resolver answers what ssh_config(5) says of a target.
type resolver struct {
	options *Options
	ctx     context.Context // the Pool's
	asked   shared[question, answer]
	asking  chan struct{} // a slot for each `ssh -G` at a time

	mu   sync.Mutex
	read *reading
}

// question is a target as `ssh -G` is asked for it, while the files are those of one reading.
type question struct {
	target  Target
	reading *reading
}

// answer is what `ssh -G` printed, by keyword.
type answer map[string][]string

// ConfigArgs are the arguments that make ssh(1) read the same configuration as this Pool does.
func (p *Pool) ConfigArgs() []string { return p.options.configArgs() }

func (o *Options) configArgs() []string {
	file := o.ConfigFile
	if file == "" && !o.ownHome() {
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
func (o *Options) ownHome() bool {
	me, err := user.Current()
	return err != nil || filepath.Clean(me.HomeDir) == filepath.Clean(o.Home)
}

// load reads the configuration files, or takes them as read before where they have not changed.
func (r *resolver) load() *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read != nil && r.read.current() {
		return r.read
	}
	r.read = &reading{}
	users := configReader{home: r.options.Home, dir: filepath.Join(r.options.Home, ".ssh"), into: r.read}
	file := r.options.ConfigFile
	if file == "" {
		file = filepath.Join(r.options.Home, ".ssh/config")
		users.check = true
	}
	r.read.steps = users.file(file)
	if r.options.ConfigFile == "" && r.options.ownHome() {
		system := configReader{home: r.options.Home, dir: filepath.Dir(systemConfig), into: r.read}
		r.read.steps = append(r.read.steps, step{include: [][]step{system.file(systemConfig)}})
	}
	return r.read
}

// Resolve says what ssh_config(5) and the target together come to.
func (p *Pool) Resolve(ctx context.Context, t Target) (Settings, error) {
	s, err := p.resolve(ctx, t)
	if err != nil {
		return s, p.fail(t, "config", Config, err)
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
	if read.odd != nil {
		// ssh is told what the target says, and its answer has it.
		err := p.resolver.ask(ctx, question{t, read}, func(keyword string, args []string) { s.assign(told, keyword, args) })
		if err != nil {
			return s, err
		}
	} else {
		s.Hostname, s.User, s.Port = t.Address, t.User, t.Port
		told["hostname"], told["user"], told["port"] = t.Address != "", t.User != "", t.Port != 0
		walk(read.steps, t.Name, true, func(keyword string, args []string) { s.assign(told, keyword, args) })
	}
	s.ChosenIdentities = len(s.IdentityFiles) > 0
	return s, p.complete(&s, t)
}

// complete fills in what nothing was said about, as OpenSSH does, and makes paths of what was.
func (p *Pool) complete(s *Settings, t Target) error {
	// What the manual gives as the default.
	s.Hostname = orElse(s.Hostname, t.Name)
	s.User = orElse(s.User, p.options.User)
	s.Port = orElse(s.Port, 22)
	s.StrictHostKeyChecking = orElse(s.StrictHostKeyChecking, "ask")
	s.AddressFamily = orElse(s.AddressFamily, "any")
	s.ServerAliveCountMax = orElse(s.ServerAliveCountMax, 3)
	if s.IdentityFiles == nil {
		s.IdentityFiles = slices.Clone(usualIdentities)
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
			path, err := p.tokens(path, *s)
			if err != nil {
				return err
			}
			list[i] = tilde(path, p.options.Home)
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
func (r *resolver) ask(ctx context.Context, q question, set func(keyword string, args []string)) error {
	there := func(answer) bool { return true }
	said, err := r.asked.get(ctx, q, there, func() (answer, error) { return r.run(q) })
	if err != nil {
		return err
	}
	// What ssh says of a host it was told nothing about are its defaults, and no choice of anybody's.
	defaults, err := r.asked.get(ctx, question{}, there, func() (answer, error) { return r.run(question{}) })
	if err != nil {
		return err
	}
	for keyword, refusal := range unsupported {
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
var unsupported = map[string]func(value string) bool{
	"bindinterface":        func(v string) bool { return v != "none" },
	"knownhostscommand":    func(v string) bool { return v != "none" },
	"revokedhostkeys":      func(v string) bool { return v != "none" },
	"proxyusefdpass":       yes,
	"pubkeyauthentication": func(v string) bool { return v == "false" || v == "no" },
}

// longestAnswer bounds how long `ssh -G` may take: a Match exec or a CanonicalizeHostname may never answer.
const longestAnswer = 30 * time.Second

func (r *resolver) run(q question) (answer, error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		if q.reading == nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s is for ssh itself to read, and there is none in PATH", q.reading.odd)
	}
	r.asking <- struct{}{}
	defer func() { <-r.asking }()
	ctx, cancel := context.WithTimeout(r.ctx, longestAnswer)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, r.questionArgs(q)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			return nil, errors.New(strings.ReplaceAll(strings.TrimSpace(string(exit.Stderr)), "\r\n", "; "))
		}
		return nil, fmt.Errorf("ssh -G: %w", err)
	}
	said := answer{}
	for line := range strings.Lines(string(out)) {
		keyword, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		said[keyword] = append(said[keyword], value)
	}
	return said, nil
}

func (r *resolver) questionArgs(q question) []string {
	if q.reading == nil {
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
