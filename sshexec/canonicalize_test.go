package sshexec

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
)

func TestCanonicalizeHostnameFollowsOpenSSHsRules(t *testing.T) {
	t.Parallel()
	const enabled = "CanonicalizeHostname yes\nCanonicalDomains a.example b.example\n"
	for _, c := range []struct {
		config, hostname string
	}{
		{"Host web\n  HostName other\nHost *\n  " + enabled, "other"},
		{enabled, "web.b.example"},
		{enabled + "Host *.b.example\n  HostName 10.0.0.9\n", "web.b.example"}, // too late
		{enabled + "Match canonical host *.b.example\n  Port 23\n", "web.b.example"},
		{enabled + "HostName web.sub\n", "web.sub.a.example"},
		{enabled + "HostName x.y.z\n", "x.y.z"},
		{enabled + "CanonicalizeMaxDots 0\nHostName web.sub\n", "web.sub"},
		{enabled + "HostName 10.1\n", "10.0.0.1"},
		{enabled + "ProxyJump bastion\n", "web"},
		{enabled + "ProxyJump none\n", "web.b.example"},
		{"CanonicalizeHostname always\nCanonicalDomains b.example\nProxyJump bastion\n", "web.b.example"},
		{"CanonicalizeHostname yes\nCanonicalDomains none\n", "web"},
		{"CanonicalizeHostname no\n" + enabled, "web"},
		{"CanonicalizeHostname yes\n", "web"},
		{enabled + "HostName nowhere\n", "nowhere"},
		{enabled + "HostName nowhere\nCanonicalizeFallbackLocal no\n", ""},
		{enabled + "AddressFamily inet6\n", "web"},
	} {
		home := newTestHome(t)
		home.write("config", "%s", c.config)
		home.ConfigFile = home.path("config")
		p := home.pool()
		p.resolver.lookup = func(_ context.Context, network, name string) ([]netip.Addr, error) {
			if network == "ip6" || name != "web.b.example." && name != "web.sub.a.example." {
				return nil, &net.DNSError{Name: name, IsNotFound: true}
			}
			return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
		}
		p.resolver.run = func([]string, *unhandledSyntax) (sshAnswer, error) { return sshAnswer{}, fmt.Errorf("ssh was run") }
		s, err := p.Resolve(home.ctx(), Target{Name: "web"})
		if c.hostname == "" {
			wantError(t, err, KindConfig, "nowhere", "CanonicalizeFallbackLocal", home.path("config")+":4")
			continue
		}
		if err != nil || s.Hostname != c.hostname {
			t.Errorf("%q: got %q, %v; want %q", c.config, s.Hostname, err, c.hostname)
		}
	}
}

func TestOddLineRunsSSHOnceForTargetsOfTheSameBlocks(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	home := newTestHome(t)
	home.ConfigFile = home.path("config")
	p := home.pool()
	runs := 0
	p.resolver.run = func(args []string, why *unhandledSyntax) (sshAnswer, error) {
		runs++
		return p.resolver.runSSH(args, why)
	}
	home.write("config", "Host h1*\n  ProxyJump ssh://first\nHost h2*\n  ProxyJump ssh://jump:23\nHost *\n  User bob\n")
	for i := range 300 {
		name := fmt.Sprint("h", i)
		s, err := p.Resolve(home.ctx(), Target{Name: name})
		if err != nil || s.Hostname != name || s.User != "bob" {
			t.Fatalf("%+v, %v", s, err)
		}
		jump, origin := "", OriginDefault
		switch name[1] {
		case '1':
			jump, origin = "first", home.path("config")+":2"
		case '2':
			jump, origin = "jump:23", home.path("config")+":4"
		}
		if s.ProxyJump != jump || s.Origins["ProxyJump"] != origin {
			t.Errorf("%s: via %q from %q", name, s.ProxyJump, s.Origins["ProxyJump"])
		}
	}
	// To validate the file, for the defaults, and for each of two sets of blocks.
	if runs != 4 {
		t.Errorf("ssh was run %d times", runs)
	}
}
