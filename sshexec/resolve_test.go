package sshexec

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// resolveWeb returns the settings for a configuration. The target's name is web unless set.
func resolveWeb(t *testing.T, config string, target Target) Settings {
	t.Helper()
	home := newTestHome(t)
	home.write("config", "%s", config)
	home.ConfigFile = home.path("config")
	if target.Name == "" {
		target.Name = "web"
	}
	s, err := home.pool().Resolve(home.ctx(), target)
	if err != nil {
		t.Fatalf("%v\n%s", err, config)
	}
	return s
}

func needsSSH(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("needs ssh")
	}
}

func TestResolveWithoutConfigUsesDefaults(t *testing.T) {
	t.Parallel()
	s := resolveWeb(t, "", Target{})
	if s.Hostname != "web" || s.Port != 22 || s.User != "alice" || s.ProxyJump != "" || s.StrictHostKeyChecking != "ask" {
		t.Errorf("got %+v", s)
	}
	if len(s.IdentityFiles) == 0 || s.IdentityFilesConfigured || !strings.HasSuffix(s.UserKnownHostsFiles[0], "/.ssh/known_hosts") {
		t.Errorf("got %+v", s)
	}
}

func TestResolveFirstValueWinsAndIdentityFilesAccumulate(t *testing.T) {
	t.Parallel()
	s := resolveWeb(t, `
Host web
  HostName 10.0.0.1
  IdentityFile ~/.ssh/one
Host *
  HostName 10.0.0.2
  User=bob
  Port = 2222
  IdentityFile ~/.ssh/two
`, Target{})
	if s.Hostname != "10.0.0.1" || s.User != "bob" || s.Port != 2222 || len(s.IdentityFiles) != 2 || !s.IdentityFilesConfigured {
		t.Errorf("got %+v", s)
	}
}

func TestResolveTargetOverridesConfig(t *testing.T) {
	t.Parallel()
	for name, unhandled := range map[string]string{"parsed": "", "queried from ssh": "Match user carol\n  HostKeyAlias carols\n"} {
		t.Run(name, func(t *testing.T) {
			if unhandled != "" {
				needsSSH(t)
			}
			s := resolveWeb(t, unhandled+"Host web\n  HostName 10.0.0.1\n  User bob\n  Port 2222\n  ProxyJump jump\n",
				Target{Address: "fe80::1%eth0", User: "carol", Port: 23})
			if s.Hostname != "fe80::1%eth0" || s.User != "carol" || s.Port != 23 || s.ProxyJump != "jump" {
				t.Errorf("got %+v", s)
			}
			if unhandled != "" && s.HostKeyAlias != "carols" {
				t.Error("Match ignored the target's user")
			}
		})
	}
}

func TestResolveExpandsTokensAndVariables(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.env["KEYS"] = "/keys"
	home.write("config", "Host web\n  HostName web.example.com\n  User bob\n  Port 23\n"+
		"  IdentityFile ${KEYS}/%%r@%%h:%%p-%%n%%%%\n  UserKnownHostsFile %%d/known /dev/null\n  IdentityAgent ~/agent.sock\n")
	home.ConfigFile = home.path("config")
	s, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if s.IdentityFiles[0] != "/keys/bob@web.example.com:23-web%" || s.UserKnownHostsFiles[0] != home.dir+"/known" || s.IdentityAgent != home.dir+"/agent.sock" {
		t.Errorf("got %+v", s)
	}
}

func TestResolveRejectsUnknownTokens(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"~/.ssh/%y", "~/.ssh/${NOT_SET}/key"} {
		home := newTestHome(t)
		home.write("config", "IdentityFile %s\n", file)
		home.ConfigFile = home.path("config")
		_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
		wantError(t, err, KindConfig, "web: config", file)
	}
}

func TestMatchPatternList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patterns string
		want     bool
	}{
		{"web", true}, {"we?", true}, {"web?", false}, {"*", true}, {"w*b", true}, {"*b*", true}, {"", false}, {"w", false},
		{"db web", true}, {"* !web", false}, {"!web *", false}, {"!db *", true}, {"!db", false}, {"WEB", false},
	} {
		if got := matchPatternList(strings.Fields(c.patterns), "web"); got != c.want {
			t.Errorf("%q: %v", c.patterns, got)
		}
	}
}

// trickyConfigs lists constructs that are easy to get wrong, with the HostName that ssh resolves
// web to.
var trickyConfigs = []struct{ config, hostname string }{
	{"Match host web\n  HostName a\n", "a"},
	{"Match originalhost web\n  HostName a\n", "a"},
	{"Match host db,web\n  HostName a\n", "a"},
	{"Match user nobody\n  HostName a\n", "web"},
	{"Match host web exec \"false\"\n  HostName a\n", "web"},
	{"Match host web exec \"test %h = web\"\n  HostName a\n", "a"},
	{"Match !host db\n  HostName a\n", "a"},
	{"Match final all\n  Port 23\n", "web"},
	{"Host \"web\"\n  HostName a\n", "a"},
	{"Host web # the web\n  HostName a\n", "a"},
	{"Host we?\n  HostName a\n", "a"},
	{"Host web?\n  HostName a\n", "web"},
	{"HostName %h.example.com\n", "web.example.com"},
	{"HostName Web.Example.COM\n", "web.example.com"},
	{"HostName 10.1\n", "10.0.0.1"},
	{"Host web\n  HostName \"a\"\n", "a"},
	{"Match localnetwork 127.0.0.0/8\n  HostName a\n", "a"},
	{"Match localnetwork 203.0.113.0/24\n  HostName a\n", "web"},
	{"Tag blue\nMatch tagged green,blue\n  HostName a\n", "a"},
	{"Match sessiontype exec\n  HostName a\n", "a"},
	{"IgnoreUnknown UseTeleport,foo*\nFooBar 1\nHostName a\n", "a"},
}

func TestResolveTrickyConfigsWithoutSSH(t *testing.T) {
	path := t.TempDir()
	for _, tool := range []string{"sh", "test"} {
		if file, err := exec.LookPath(tool); err == nil {
			if err := os.Symlink(file, filepath.Join(path, tool)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("PATH", path)
	for _, c := range trickyConfigs {
		if s := resolveWeb(t, c.config, Target{}); s.Hostname != c.hostname {
			t.Errorf("%q: got %q, want %q", c.config, s.Hostname, c.hostname)
		}
	}
	s := resolveWeb(t, "IdentityFile \"~/.ssh/my key\"\nIdentityFile ~/.ssh/id#work\nConnectTimeout 1m\nServerAliveInterval 5\n", Target{})
	if len(s.IdentityFiles) != 2 ||
		!strings.HasSuffix(s.IdentityFiles[0], "/.ssh/my key") || !strings.HasSuffix(s.IdentityFiles[1], "/.ssh/id#work") ||
		s.ConnectTimeout != time.Minute || s.ServerAliveInterval != 5*time.Second {
		t.Errorf("got %+v", s)
	}
}

// unhandledConfigs lists what only ssh itself can resolve, with the HostName that web has then, or
// "" if ssh rejects the configuration.
var unhandledConfigs = []struct{ config, hostname string }{
	{"CanonicalizeHostname yes\nCanonicalizePermittedCNAMEs a:b\nCanonicalDomains invalid\nHostName 127.0.0.1\n", "127.0.0.1"},
	{"Include ${HOME}/none\nHostName a\n", "a"},
	{"Port 0x17\nHostName a\n", ""},
	{"Port 70000\n", ""},
	{"HostNane a\n", ""},
	{"Host web\n  User\n", ""},
	{"Host db\n  User \"alice\n", ""},
	{"Match host\n", ""},
	{"Match size large\n", ""},
	{"Host db\n  Compression maybe\n", ""},
}

func TestResolveQueriesSSHForUnhandledSyntax(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	for _, c := range unhandledConfigs {
		if c.hostname != "" {
			if s := resolveWeb(t, c.config, Target{}); s.Hostname != c.hostname {
				t.Errorf("%q: got %q, want %q", c.config, s.Hostname, c.hostname)
			}
			continue
		}
		home := newTestHome(t)
		home.write("config", "%s", c.config)
		home.ConfigFile = home.path("config")
		_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
		wantError(t, err, KindConfig, "line ")
	}
}

func TestResolveWithoutSSHLocatesUnhandledSyntax(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, c := range unhandledConfigs {
		home := newTestHome(t)
		home.write("config", "\n%s", c.config)
		home.ConfigFile = home.path("config")
		_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
		wantError(t, err, KindConfig, "web: config: "+home.path("config")+":", "ssh")
	}
}

func TestResolveReportsLineOfMisspelledKeyword(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	home := newTestHome(t)
	home.write("config", "Host web\n  HostNane 10.0.0.1\n")
	home.ConfigFile = home.path("config")
	_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
	wantError(t, err, KindConfig, "hostnane", "line 2")
}

func TestResolveRejectsUnsupportedKeywords(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	for _, line := range []string{"RevokedHostKeys /etc/ssh/revoked", "KnownHostsCommand /bin/echo %H", "ProxyUseFdpass yes"} {
		home := newTestHome(t)
		home.write("config", "%s\n", line)
		home.ConfigFile = home.path("config")
		_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
		wantError(t, err, KindConfig, home.path("config")+":1: ", strings.Fields(line)[0])
	}
}

func TestResolveLimitsAlgorithms(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	s := resolveWeb(t, "HostKeyAlgorithms ssh-rsa,ssh-ed25519\nCiphers aes256-gcm@openssh.com,aes128-ctr\n", Target{})
	if !slices.Equal(s.HostKeyAlgorithms, []string{"ssh-ed25519", "ssh-rsa"}) || len(s.Ciphers) != 2 || s.MACs != nil {
		t.Errorf("got %q, %q, %q", s.HostKeyAlgorithms, s.Ciphers, s.MACs)
	}
	home := newTestHome(t)
	home.write("config", "KexAlgorithms sntrup761x25519-sha512@openssh.com\n")
	home.ConfigFile = home.path("config")
	_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
	wantError(t, err, KindConfig, "KexAlgorithms", "sntrup761")
}

func TestResolveRereadsChangedConfig(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "Include more/*\n")
	home.ConfigFile = home.path("config")
	p := home.pool()
	hostname := func() string {
		s, err := p.Resolve(home.ctx(), Target{Name: "web"})
		if err != nil {
			t.Fatal(err)
		}
		return s.Hostname
	}
	if got := hostname(); got != "web" {
		t.Error(got)
	}
	if err := os.Mkdir(home.path("more"), 0o700); err != nil {
		t.Fatal(err)
	}
	home.write("more/a", "HostName a\n")
	if got := hostname(); got != "a" {
		t.Error(got)
	}
	home.write("config", "HostName bb\n")
	if got := hostname(); got != "bb" {
		t.Error(got)
	}
}

// resolveWithSystemConfig resolves a target with a user's and a system's configuration.
func resolveWithSystemConfig(t *testing.T, user, system string, target Target) Settings {
	t.Helper()
	home := newTestHome(t)
	home.write("config", "%s", user)
	home.write("system", "%s", system)
	p := home.pool()
	p.resolver.systemConfig = home.path("system")
	s, err := p.Resolve(home.ctx(), target)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSystemConfigAppliesWhateverBlockEndsTheUsersFile(t *testing.T) {
	t.Parallel()
	for _, last := range []string{"Host db\n  Port 23\n", "Host web\n  User bob\n", "Match user nobody\n  Port 23\n", ""} {
		s := resolveWithSystemConfig(t, "Host web\n  HostName a\n"+last, "IdentityFile /system\nHost *\n  Port 24\n  HostName b\n", Target{Name: "web"})
		if s.Hostname != "a" || s.Port != 24 || !slices.Equal(s.IdentityFiles, []string{"/system"}) {
			t.Errorf("%q: got %+v", last, s)
		}
	}
}

func TestSystemdDropInNeedsNoSSH(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	const dropIn = `Host unix/* vsock/* machine/*
    ProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p
    ProxyUseFdpass yes
    CheckHostIP no
Host .host machine/.host
    ProxyCommand /usr/lib/systemd/systemd-ssh-proxy unix/run/ssh-unix-local/socket %p
    ProxyUseFdpass yes
    CheckHostIP no
`
	if s := resolveWithSystemConfig(t, "", dropIn, Target{Name: "web"}); s.ProxyCommand != "" || s.Hostname != "web" {
		t.Errorf("got %+v", s)
	}
}

func TestOriginsNameFileAndLine(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "Include more\n\nHost web\n  Port 23\n  ConnectTimeout 9\n  Ciphers aes128-ctr\n")
	home.write("more", "User bob\nIdentityFile ~/.ssh/one\n")
	home.ConfigFile = home.path("config")
	s, err := home.pool().Resolve(home.ctx(), Target{Name: "web", Address: "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"Hostname": OriginTarget, "User": home.path("more") + ":1", "IdentityFile": home.path("more") + ":2",
		"Port": home.path("config") + ":4", "ConnectTimeout": home.path("config") + ":5", "Ciphers": home.path("config") + ":6",
		"MACs": OriginDefault, "ServerAliveInterval": OriginDefault, "StrictHostKeyChecking": OriginDefault, "PreferredAuthentications": OriginDefault,
	}
	for keyword, origin := range want {
		if s.Origins[keyword] != origin {
			t.Errorf("%s: got %q, want %q", keyword, s.Origins[keyword], origin)
		}
	}
}

func TestIdentityAgentWithVariableNeedsNoSSH(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	home := newTestHome(t)
	home.env["RUN"] = "/run/alice"
	home.write("config", "IdentityAgent ${RUN}/agent\n")
	home.ConfigFile = home.path("config")
	if s, err := home.pool().Resolve(home.ctx(), Target{Name: "web"}); err != nil || s.IdentityAgent != "/run/alice/agent" {
		t.Errorf("got %q, %v", s.IdentityAgent, err)
	}
	home.write("config", "Host db\n  IdentityAgent ${NOT_SET}/agent\n")
	_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
	wantError(t, err, KindConfig, "NOT_SET")
}

func TestMatchExecIsEvaluatedForEachConnection(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "Match exec \"test -e %s\"\n  HostName vpn\n", home.path("vpn"))
	home.ConfigFile = home.path("config")
	p := home.pool()
	hostname := func() string {
		s, err := p.Resolve(home.ctx(), Target{Name: "web"})
		if err != nil {
			t.Fatal(err)
		}
		return s.Hostname
	}
	if got := hostname(); got != "web" {
		t.Error(got)
	}
	home.write("vpn", "")
	time.Sleep(answerLifetime)
	if got := hostname(); got != "vpn" {
		t.Error(got)
	}
}

func TestMatchExecIsSharedByOneWave(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "Match exec \"echo >>%s\"\n  User bob\n", home.path("runs"))
	home.ConfigFile = home.path("config")
	p := home.pool()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if s, err := p.Resolve(home.ctx(), Target{Name: fmt.Sprint("web", i)}); err != nil || s.User != "bob" {
				t.Error(s.User, err)
			}
		})
	}
	wg.Wait()
	if runs := strings.Count(home.read("runs"), "\n"); runs > 3 {
		t.Errorf("the command ran %d times", runs)
	}
}

func TestIncludeIgnoresHiddenFiles(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "Include conf.d/*\n")
	if err := os.Mkdir(home.path("conf.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	home.write("conf.d/.config.swp", "HostName hidden\n")
	home.write("conf.d/web", "HostName a\n")
	home.ConfigFile = home.path("config")
	if s, err := home.pool().Resolve(home.ctx(), Target{Name: "web"}); err != nil || s.Hostname != "a" {
		t.Errorf("got %q, %v", s.Hostname, err)
	}
}

func TestFileThatIncludesItselfTwiceIsRejectedQuickly(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "Include config*\nInclude config\nInclude config\n")
	home.ConfigFile = home.path("config")
	start := time.Now()
	_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
	wantError(t, err, KindConfig, "too deep")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestProxyJumpTokensAndOtherUsersHome(t *testing.T) {
	t.Parallel()
	s := resolveWeb(t, "User bob\nProxyJump %r@jump-%h\nIdentityFile ~root/key\nIdentityFile ~/%C\n", Target{})
	root, err := user.Lookup("root")
	if err != nil {
		t.Fatal(err)
	}
	if s.ProxyJump != "bob@jump-web" || s.IdentityFiles[0] != root.HomeDir+"/key" || len(filepath.Base(s.IdentityFiles[1])) != 40 {
		t.Errorf("got %+v", s)
	}
}

func TestOldNameOfCurve25519IsSupported(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	s := resolveWeb(t, "KexAlgorithms curve25519-sha256@libssh.org\n", Target{})
	if !slices.Equal(s.KexAlgorithms, []string{"curve25519-sha256"}) {
		t.Errorf("got %q", s.KexAlgorithms)
	}
}

func TestProxyCommandLeavesVariablesToTheShell(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := Settings{Alias: "web", Hostname: "web.internal", Port: 23, User: "bob"}
	got, err := home.pool().expandPercent("nc ${NOT_SET} %h %p %r %n %%", proxyCommandTokens, s)
	if err != nil || got != "nc ${NOT_SET} web.internal 23 bob web %" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestLookupInTenThousandHostBlocksEvaluatesFew(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "Host host-%d alias-%d\n  HostName 10.0.0.1\n  Port %d\n", i, i, 1000+i)
	}
	b.WriteString("Host *\n  User bob\n")
	home := newTestHome(t)
	home.write("config", "%s", b.String())
	home.ConfigFile = home.path("config")
	p := home.pool()
	if _, err := p.Resolve(home.ctx(), Target{Name: "web"}); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		s, err := p.Resolve(home.ctx(), Target{Name: fmt.Sprintf("alias-%d", i)})
		if err != nil || s.Port != 1000+i || s.User != "bob" {
			t.Fatalf("got %+v, %v", s, err)
		}
	}
	// Each target has two candidates: its own block and the last one.
	if blocks := p.resolver.load().files[0].candidates("alias-7"); len(blocks) > 3 {
		t.Errorf("%d of 10,001 blocks are evaluated", len(blocks))
	}
}

func TestResolveRejectsNamesThatCouldReachAShell(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	mark := home.path("mark")
	home.write("config", "Match exec \"echo %%n %%r; true\"\n  ProxyCommand nc %%h\n")
	home.ConfigFile = home.path("config")
	p := home.pool()
	for _, target := range []Target{
		{Name: "-oProxyCommand=x"}, {Name: "a;touch " + mark}, {Name: "$(touch${IFS}" + mark + ")"}, {Name: "a`b`"}, {Name: "a|b"},
		{Name: "web", User: "a;b"}, {Name: "web", User: "-x"}, {Name: "web", User: "x -y"}, {Name: "web", User: `x\`}, {Name: "web", Address: "a&b"},
	} {
		_, err := p.Resolve(home.ctx(), target)
		wantError(t, err, KindConfig, "invalid")
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a command in a host name was executed")
	}
}

func TestResolveRejectsRecursiveInclude(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	home := newTestHome(t)
	home.write("config", "Include config\n")
	home.ConfigFile = home.path("config")
	_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
	wantError(t, err, KindConfig, "too deep")
}

// TestResolveMatchesSSHOnRandomConfigs compares the parser with `ssh -G` on random configurations.
func TestResolveMatchesSSHOnRandomConfigs(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	r := rand.New(rand.NewPCG(7, 11))
	home := newTestHome(t)
	home.ConfigFile = home.path("config")
	for round := range 40 {
		text := strings.ReplaceAll(randomConfig(r, true), "PARTS", filepath.Join(home.dir, ".ssh"))
		home.write("config", "%s", text)
		home.write("part-a", "%s", randomConfig(r, false))
		home.write("part-b", "%s", randomConfig(r, false))
		p := home.pool()
		target := Target{Name: pick(r, "web", "db", "web.example.com", "mail")}
		parsed, err := p.Resolve(home.ctx(), target)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		config := *p.resolver.load()
		if config.unhandled != nil {
			t.Fatalf("not plain: %v\n%s", config.unhandled, text)
		}
		config.unhandled = &unhandledSyntax{file: "test", reason: "forced"}
		p.resolver.parsed = &config
		queried, err := p.Resolve(home.ctx(), target)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		// ssh -G does not distinguish configured defaults from missing values.
		for _, s := range []*Settings{&parsed, &queried} {
			s.IdentityFilesConfigured = false
			s.ServerAliveCountMax = cmp.Or(s.ServerAliveCountMax, 3)
			s.Origins = nil
		}
		if queried.User == parsed.User || parsed.User == "alice" {
			parsed.User, queried.User = "", ""
		}
		if !reflect.DeepEqual(parsed, queried) {
			t.Fatalf("round %d, %s:\n%s\nparsed %+v\nssh    %+v\npart-a:\n%s\npart-b:\n%s", round, target.Name, text, parsed, queried, home.read("part-a"), home.read("part-b"))
		}
	}
}

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func randomConfig(r *rand.Rand, include bool) string {
	var b strings.Builder
	for range r.IntN(14) {
		switch n := r.IntN(10); {
		case n < 3:
			fmt.Fprintf(&b, "%s %s\n", pick(r, "Host", "host", "HOST\t"), pick(r, "web", "*", "db web", "* !web", "*.example.com", "web*", "Match", "!db *", "mail  db"))
		case n == 3 && include:
			fmt.Fprintf(&b, "Include %s\n", pick(r, "PARTS/part-a", "PARTS/part-*", "PARTS/none", "PARTS/part-b PARTS/part-a"))
		case n == 3:
			b.WriteString(pick(r, "# a comment\n", "\n", "   \t\n", "Match all\n", "ForwardAgent yes\n", "SendEnv LANG LC_*\n"))
		default:
			line := pick(r, "HostName 10.0.0.1", "HostName=web.internal", "Port 2222", "Port = 23", "User\tbob", "User=  carol", "IdentityFile ~/.ssh/one",
				"IdentityFile /keys/%h", "IdentityFile ~/.ssh/one", "CertificateFile ~/.ssh/c.pub", "IdentitiesOnly yes", "identitiesonly NO", "IdentityAgent none",
				"IdentityAgent /a.sock", "ProxyJump jump", "ProxyJump a@b:23,c", "ProxyJump none", "ProxyCommand nc -X \"5\" %h %p # x", "ProxyCommand none",
				"UserKnownHostsFile /kh1 /dev/null", "GlobalKnownHostsFile /etc/kh", "StrictHostKeyChecking accept-new", "StrictHostKeyChecking off",
				"StrictHostKeyChecking yes", "HostKeyAlias alias", "ServerAliveInterval 7", "ServerAliveCountMax 9", "ConnectTimeout 8", "HashKnownHosts yes",
				"AddressFamily inet6", "AddressFamily ANY")
			fmt.Fprintf(&b, "%s%s%s\n", pick(r, "", "  ", "\t"), line, pick(r, "", "", " ", "\r"))
		}
	}
	return b.String()
}

func FuzzParseConfig(f *testing.F) {
	for _, c := range slices.Concat(trickyConfigs, unhandledConfigs) {
		f.Add(c.config)
	}
	f.Add("Host\x00\nPort 99999\nInclude *\n=\n\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := NewPool(Options{Home: t.TempDir(), User: "alice", ConfigFile: file})
		defer p.Close()
		config := p.resolver.load()
		if config.unhandled != nil || strings.Contains(strings.ToLower(text), "exec") {
			return
		}
		e, err := p.evaluate(t.Context(), config, Target{Name: "web"})
		if err != nil || e.unhandled != nil {
			return
		}
		s, err := newSettings(Target{Name: "web"}, e.values)
		if err == nil && (s.Port < 0 || s.Port > 65535) {
			t.Errorf("port %d", s.Port)
		}
	})
}
