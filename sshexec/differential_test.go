package sshexec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/testrounds"
)

// sshCase is a configuration and the targets that ssh and this package have to resolve alike.
type sshCase struct {
	files   map[string]string // by path: home/.ssh/NAME or etc/NAME
	targets []Target

	dir     string
	outputs []string // of `ssh -G`, for each target
	errs    []string // its standard error, if it failed
}

// runSSHCases runs the real `ssh -G` for each target of each case. ssh always reads the files in
// the home directory of passwd(5) and in /etc/ssh, so it runs in a mount namespace in which the
// files of the case are there. It returns the output for an empty configuration.
func runSSHCases(t *testing.T, cases []*sshCase) (defaults sshOutput) {
	t.Helper()
	needsSSH(t)
	root, err := user.LookupId("0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mkdir := func(name string) {
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var queries bytes.Buffer
	mkdir(dir + "/etc")
	mkdir(dir + "/home")
	for _, name := range []string{"ssh_config", "extra-a", "extra-b"} {
		if err := os.Symlink(dir+"/case/etc/"+name, dir+"/etc/"+name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir+"/case/home/.ssh", dir+"/home/.ssh"); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		c.dir = fmt.Sprintf("%s/cases/%d", dir, i)
		mkdir(c.dir + "/home/.ssh")
		mkdir(c.dir + "/etc")
		for name, text := range c.files {
			mkdir(filepath.Dir(c.dir + "/" + name))
			if err := os.WriteFile(c.dir+"/"+name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for j, target := range c.targets {
			args := (&resolver{options: &Options{ConfigFile: "x"}}).queryArgs(sshQuery{target: target})[2:]
			fmt.Fprintf(&queries, "%d %d %s\n", i, j, strings.Join(args, " "))
		}
	}
	script := `set -f
mount --bind "$1/home" "$2" && mount --bind "$1/etc" /etc/ssh || exit 99
ssh -G -F none localhost >"$1/defaults" </dev/null || exit 98
while read -r i j args; do
	ln -sfn "$1/cases/$i" "$1/case"
	ssh -G $args >"$1/cases/$i/out$j" 2>"$1/cases/$i/err$j" </dev/null || : >"$1/cases/$i/failed$j"
done`
	unshare := []string{"unshare", "-rm"}
	if os.Getuid() == 0 {
		unshare = []string{"unshare", "-m"}
	}
	cmd := exec.Command(unshare[0], append(unshare[1:], "sh", "-c", script, "sh", dir, root.HomeDir)...)
	cmd.Env = append(os.Environ(), "HOME="+root.HomeDir, "SHELL=/bin/sh")
	cmd.Stdin = &queries
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("cannot mount files over those that ssh reads: %v: %s", err, out)
	}
	read := func(name, home string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`(?m)( )`+regexp.QuoteMeta(root.HomeDir)+`/`).ReplaceAllString(string(text), "${1}"+home+"/")
	}
	for _, c := range cases {
		for j := range c.targets {
			c.outputs = append(c.outputs, read(fmt.Sprintf("%s/out%d", c.dir, j), c.dir+"/home"))
			failure := ""
			if _, err := os.Stat(fmt.Sprintf("%s/failed%d", c.dir, j)); err == nil {
				failure = read(fmt.Sprintf("%s/err%d", c.dir, j), c.dir+"/home")
			}
			c.errs = append(c.errs, failure)
		}
	}
	return parseSSHOutput(read(dir+"/defaults", "HOME"))
}

// compareWithSSH compares this package's settings with those of ssh and returns how many targets it
// resolved without ssh.
func (c *sshCase) compareWithSSH(t *testing.T, defaults sshOutput) (native int) {
	t.Helper()
	p := NewPool(Options{Home: c.dir + "/home", User: "root", Getenv: func(string) string { return "" }})
	defer p.Close()
	p.resolver.systemConfig = c.dir + "/etc/ssh_config"
	p.resolver.lookup = func(context.Context, string, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	fail := func(target Target, format string, args ...any) {
		t.Helper()
		var files strings.Builder
		for name, text := range c.files {
			fmt.Fprintf(&files, "--- %s\n%s\n", name, text)
		}
		t.Errorf("%+v: %s\n%s", target, fmt.Sprintf(format, args...), files.String())
	}
	expanded := sshOutput{}
	for keyword, lines := range defaults {
		for _, line := range lines {
			expanded[keyword] = append(expanded[keyword], strings.ReplaceAll(line, "HOME/", c.dir+"/home/"))
		}
	}
	outputs, errs := map[string]sshOutput{"-F none -- localhost": expanded}, map[string]string{}
	for i, target := range c.targets {
		args := strings.Join(p.resolver.queryArgs(sshQuery{target: target}), " ")
		outputs[args], errs[args] = parseSSHOutput(c.outputs[i]), c.errs[i]
	}
	p.resolver.run = func(args []string, why *unhandledSyntax) (sshAnswer, error) {
		key := strings.Join(args, " ")
		if errs[key] != "" {
			return sshAnswer{}, errors.New(errs[key])
		}
		if output := outputs[key]; output != nil {
			return sshAnswer{output, time.Now()}, nil
		}
		return p.resolver.runSSH(args, why)
	}
	for i, target := range c.targets {
		config := p.resolver.load()
		if config.unhandled != nil || p.resolver.checkAlgorithms(t.Context(), config) != nil {
			return native // ssh decides
		}
		if c.errs[i] != "" {
			if _, err := p.Resolve(t.Context(), target); err == nil {
				fail(target, "ssh rejects it: %s", c.errs[i])
			}
			continue
		}
		e, err := p.evaluate(t.Context(), config, target)
		if err != nil {
			fail(target, "%v", err)
			continue
		}
		if e.unhandled != nil {
			continue
		}
		native++
		if err := p.resolver.interpretOddValues(t.Context(), config, e); err != nil {
			fail(target, "%v", err)
			continue
		}
		if err := p.resolver.expandAlgorithms(t.Context(), e.values); err != nil {
			fail(target, "%v", err)
			continue
		}
		got, errGot := p.comparable(target, e.values)
		want, errWant := p.comparable(target, parseSSHOutput(c.outputs[i]).configured(expanded, target))
		switch {
		case (errGot == nil) != (errWant == nil):
			fail(target, "got error %v, for the values of ssh %v", errGot, errWant)
		case errGot == nil && !reflect.DeepEqual(got, want):
			fail(target, "%s", differentFields(got, want))
		}
	}
	return native
}

func differentFields(got, want Settings) string {
	var b strings.Builder
	a, z := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range a.NumField() {
		if x, y := fmt.Sprint(a.Field(i)), fmt.Sprint(z.Field(i)); x != y {
			fmt.Fprintf(&b, "%s is %q, in ssh %q; ", a.Type().Field(i).Name, x, y)
		}
	}
	return b.String()
}

// comparable returns the settings for values, without what `ssh -G` does not print.
func (p *Pool) comparable(t Target, values map[string][]value) (Settings, error) {
	s, err := newSettings(t, values)
	if err == nil {
		err = p.applyDefaults(&s, t)
	}
	s.Origins, s.IdentityFilesConfigured = nil, false
	if s.ServerAliveCountMax == 0 {
		s.ServerAliveCountMax = 3
	}
	if s.BatchMode && s.ServerAliveInterval == 5*time.Minute {
		s.ServerAliveInterval = 0 // Debian's default for BatchMode
	}
	if s.ProxyJump != "" {
		s.ProxyCommand = ""
	}
	// ssh lists a file twice if both the user's and the system's configuration name it.
	s.IdentityFiles, s.CertificateFiles = unique(s.IdentityFiles), unique(s.CertificateFiles)
	return s, err
}

func unique(list []string) (once []string) {
	for _, s := range list {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}

// TestSettingsMatchSSHOnRandomConfigs compares the settings of random hosts in random user and
// system files, which include others, with `ssh -G`.
func TestSettingsMatchSSHOnRandomConfigs(t *testing.T) {
	t.Parallel()
	seed := uint64(1)
	if text := os.Getenv("SSHEXEC_TEST_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	r := rand.New(rand.NewPCG(seed, 2))
	hosts := 0
	var cases []*sshCase
	for hosts < testrounds.N(150, 5000) {
		c := &sshCase{files: map[string]string{
			"home/.ssh/config": oddConfig(r, "user"), "home/.ssh/extra-a": oddConfig(r, ""), "home/.ssh/extra-b": oddConfig(r, ""),
			"etc/ssh_config": oddConfig(r, "system"), "etc/extra-a": oddConfig(r, ""), "etc/extra-b": oddConfig(r, ""),
		}}
		for range 3 {
			target := Target{Name: pick(r, "web", "db", "web.example.com", "Mail", "10.1", "::1", "web1", "WEB")}
			if r.IntN(6) == 0 {
				target.User = pick(r, "bob", "root", "dave")
			}
			if r.IntN(8) == 0 {
				target.Port = 2200 + r.IntN(3)
			}
			if r.IntN(8) == 0 {
				target.Address = pick(r, "10.0.0.9", "Web.Internal")
			}
			c.targets = append(c.targets, target)
		}
		hosts += len(c.targets)
		cases = append(cases, c)
	}
	defaults := runSSHCases(t, cases)
	native, rejected := 0, 0
	for _, c := range cases {
		native += c.compareWithSSH(t, defaults)
		for _, err := range c.errs {
			if err != "" {
				rejected++
			}
		}
	}
	t.Logf("%d hosts, %d resolved natively, %d rejected by ssh", hosts, native, rejected)
	if native < hosts*3/4 {
		t.Errorf("only %d of %d hosts were resolved natively", native, hosts)
	}
}

// oddConfig returns a random file with every construct that this package understands, and now and
// then one that ssh rejects.
func oddConfig(r *rand.Rand, kind string) string {
	var b strings.Builder
	for range r.IntN(12) {
		indent := pick(r, "", "  ", "\t", " \t ")
		end := pick(r, "\n", "\n", "\n", " \n", "\r\n", "\t\n")
		switch n := r.IntN(20); {
		case n < 4:
			fmt.Fprintf(&b, "%s %s%s", pick(r, "Host", "host", "HOST\t", "Host =", "Host="), pick(r, "web", "*", "db web", "* !web", "*.example.com",
				"web*", "web?", "?eb", "!db *", "mail  db", `"web"`, `"web" "db"`, "we\"b\"", "web # not db", "WEB", "mail", "10.*", "*:*", "w*b* !web1", "'web'",
				"web db mail web1", "web.internal", "10.0.0.1"), end)
		case n < 8:
			b.WriteString("Match ")
			for range 1 + r.IntN(2) {
				b.WriteString(pick(r, "host web", "host=web", "host web,db", "host *.internal,10.*", "!host web", "originalhost web*", "!originalhost db",
					"user bob", "user root,carol", "!user bob", "localuser root", "localuser nobody", "final", "canonical", "!canonical",
					`exec "true"`, `exec "test %n = web"`, `exec "test %h = web.internal"`, "exec false", "!exec false", `host "web"`, `host "*,!db"`,
					`exec "test %p%r = 2222bob"`, "HOST Web", `exec "test -n '%C%L%l%d%u%i'"`) + " ")
			}
			b.WriteString(pick(r, "", "", "", "# comment") + end)
		case n == 8:
			b.WriteString(pick(r, "Match all", "Match final all", "Match canonical all", "Match !all", "Match all # all") + end)
		case n == 9 && kind == "user":
			b.WriteString("Include " + pick(r, "extra-a", "extra-*", "none", "~/.ssh/extra-b extra-a", `"extra-a"`, "extra-?") + end)
		case n == 9 && kind == "system":
			b.WriteString("Include " + pick(r, "extra-a", "extra-*", "none", "/etc/ssh/none", "extra-b extra-a") + end)
		case n == 10:
			b.WriteString(pick(r, "# a comment", "", "   \t", "ForwardAgent yes", "SendEnv LANG LC_*", "LocalForward 80 web:80", "Compression yes", "TCPKeepAlive no",
				"ControlPath ~/.ssh/%C", "LogLevel ERROR", "GSSAPIAuthentication yes", "SetEnv A=b", "DynamicForward 1080", "IPQoS none",
				"PubkeyAuthentication unbound", "CheckHostIP no", "UpdateHostKeys no", "Protocol 2", "ServerAliveInterval 1h30m", "RequestTTY force",
				"IgnoreUnknown UseKey*,foo", "AddKeysToAgent yes", "VisualHostKey no", "PermitLocalCommand yes", "LocalCommand echo # %h") + end)
		case n == 11 && r.IntN(12) == 0:
			b.WriteString(pick(r, "HostNane a", "Port 0", "Port 70000", "User", "User \"bob", "Match", "Match host", "Match colors red", "Match all host web", "Host \"\"",
				"StrictHostKeyChecking maybe", "ConnectTimeout never", "ProxyJump a:b", "UserKnownHostsFile none /a", "User bob carol", "Ciphers nonsense",
				"Compression", "IdentitiesOnly ask", "ServerAliveCountMax many", "RequiredRSASize big") + end)
		default:
			b.WriteString(indent + pick(r, "HostName 10.0.0.1", "HostName=web.internal", "HostName %h.internal", "HostName Web.%h", `HostName "db.internal"`, "HostName 10.2",
				"HostName ::0001", "HostName a%%b", "Port 2222", "Port = 23", "Port\t=\t24", "User\tbob", "User=  carol", `User "bob"`, "IdentityFile ~/.ssh/one",
				"IdentityFile /keys/%h-%r-%p-%n-%k-%L-%C-%j-%u", `IdentityFile "~/.ssh/my key"`, "IdentityFile ~/.ssh/id#work", "IdentityFile none", "IdentityFile ~/.ssh/one",
				"IdentityFile ~root/key", `IdentityFile ~/my\ key`, "CertificateFile ~/.ssh/c.pub", "IdentitiesOnly yes", "identitiesonly NO", "IdentityAgent none",
				"IdentityAgent /a.sock", "IdentityAgent SSH_AUTH_SOCK", "IdentityAgent $A_SOCK", "IdentityAgent ~/%h.sock", "ProxyJump jump", "ProxyJump a@b:23,c",
				"ProxyJump none", "ProxyJump %r@jump", "ProxyJump [::1]:23", "ProxyJump NONE", "ProxyCommand nc -X \"5\" %h %p # x", "ProxyCommand none",
				"ProxyCommand = nc %h", "UserKnownHostsFile /kh1 /dev/null", `UserKnownHostsFile ~/%n "/kh2"`, "UserKnownHostsFile none", "GlobalKnownHostsFile /etc/kh",
				"GlobalKnownHostsFile none", "StrictHostKeyChecking accept-new", "StrictHostKeyChecking off", "StrictHostKeyChecking yes", "HostKeyAlias Alias",
				"ServerAliveInterval 7", "ServerAliveInterval 2m", "ServerAliveCountMax 9", "ConnectTimeout 8", "ConnectTimeout 1m", "ConnectTimeout none",
				"HashKnownHosts yes", "AddressFamily inet6", "AddressFamily ANY", "BindAddress 127.0.0.1", "BindAddress localhost", "BatchMode yes",
				"ConnectionAttempts 3", "NumberOfPasswordPrompts 2", "RequiredRSASize 3072", "NoHostAuthenticationForLocalhost yes", "VerifyHostKeyDNS ask",
				"PubkeyAuthentication no", "PreferredAuthentications publickey,password", "PreferredAuthentications password", "Ciphers aes256-ctr,aes128-ctr",
				"Ciphers -aes*", "MACs +hmac-md5", "KexAlgorithms curve25519-sha256@libssh.org", "HostKeyAlgorithms ^ssh-ed25519",
				"PubkeyAcceptedAlgorithms +ssh-rsa", "PubkeyAcceptedKeyTypes ssh-ed25519", "CASignatureAlgorithms ssh-ed25519", "CanonicalizeHostname no",
				"CanonicalizeHostname yes", "CanonicalizeHostname always", "CanonicalDomains none", "CanonicalDomains invalid", "CanonicalizeMaxDots 0",
				"CanonicalizeFallbackLocal no", "CanonicalizePermittedCNAMEs none", "ProxyJump ssh://jump:22", `IdentityAgent "$A_SOCK"`,
				"ConnectTimeout 0x10", "Port 0x17", "IPQoS lowdelay throughput", "NumberOfPasswordPrompts 07",
				"User bob # the builder", "Port 2222#3") + end)
		}
	}
	return b.String()
}

// TestSettingsMatchSSHOnRealisticConfigs compares the settings for the files in testdata/configs
// with `ssh -G`, under a system file as distributions ship it.
func TestSettingsMatchSSHOnRealisticConfigs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/configs/*")
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	hostLine := regexp.MustCompile(`(?im)^\s*(?:host|match +(?:original)?host)\s*=?\s*([^#\r\n]*)`)
	var cases []*sshCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := &sshCase{files: map[string]string{
			"home/.ssh/config": string(text), "home/.ssh/extra-a": "Host web\n  Port 2201\nHost *\n  Port 2202\n",
			"home/.ssh/extra-b": "Match host web\n  HostName included.example.com\n",
			"etc/ssh_config":    "Include extra-*\nHost *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n",
			"etc/extra-a":       "Host unix/* vsock/* machine/*\n    ProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p\n    ProxyUseFdpass yes\n    CheckHostIP no\n",
		}}
		names := []string{"web", "db", "other.example.com"}
		for _, line := range hostLine.FindAllStringSubmatch(string(text), -1) {
			for _, pattern := range strings.FieldsFunc(line[1], func(r rune) bool { return strings.ContainsRune(" \t,\"!", r) }) {
				names = append(names, strings.NewReplacer("*", "x", "?", "7").Replace(pattern))
			}
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			c.targets = append(c.targets, Target{Name: name})
			if testrounds.N(0, 1) > 0 {
				c.targets = append(c.targets, Target{Name: name, User: "git", Port: 2022})
			}
		}
		cases = append(cases, c)
	}
	defaults := runSSHCases(t, cases)
	hosts, native := 0, 0
	for i, c := range cases {
		hosts += len(c.targets)
		n := c.compareWithSSH(t, defaults)
		native += n
		if n < len(c.targets) {
			t.Logf("%s: %d of %d targets are left to ssh, which says %q", files[i], len(c.targets)-n, len(c.targets), c.errs[0])
		}
	}
	t.Logf("%d hosts in %d files, %d resolved natively", hosts, len(files), native)
}
