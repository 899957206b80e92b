package cli

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/sshexec"
)

// TestHostIsThisMachineOnlyByNameAndAddress has a machine called laptop, with the addresses
// 192.0.2.7 and 100.64.0.7.
func TestHostIsThisMachineOnlyByNameAndAddress(t *testing.T) {
	t.Parallel()
	type settings = sshexec.Settings
	for _, tt := range []struct {
		name      string
		host      inventory.Host
		ssh       settings // if ssh_config(5) has them
		container bool
		want      bool
	}{
		{"name alone, unknown to DNS", inventory.Host{Name: "laptop"}, settings{}, false, true},
		{"name in another case, with a domain", inventory.Host{Name: "Laptop.example.org"}, settings{}, false, true},
		{"name of another machine", inventory.Host{Name: "server"}, settings{}, false, false},
		{"own address", inventory.Host{Name: "laptop", Address: "192.0.2.7"}, settings{}, false, true},
		{"loopback", inventory.Host{Name: "laptop", Address: "127.0.0.1"}, settings{}, false, true},
		{"address of another machine", inventory.Host{Name: "laptop", Address: "192.0.2.8"}, settings{}, false, false},
		{"name of an own address", inventory.Host{Name: "laptop", Address: "laptop.vpn"}, settings{}, false, true},
		{"name of another address", inventory.Host{Name: "laptop", Address: "server.vpn"}, settings{}, false, false},
		{"name of no address", inventory.Host{Name: "laptop", Address: "nowhere.vpn"}, settings{}, false, false},
		{"one of several addresses", inventory.Host{Name: "laptop", Address: "192.0.2.8", Addresses: []string{"192.0.2.8", "laptop.vpn"}}, settings{}, false, true},
		{"none of several addresses", inventory.Host{Name: "laptop", Address: "192.0.2.8", Addresses: []string{"192.0.2.8", "nowhere.vpn"}}, settings{}, false, false},
		{"own address in ssh_config", inventory.Host{Name: "laptop"}, settings{Hostname: "100.64.0.7"}, false, true},
		{"other address in ssh_config", inventory.Host{Name: "laptop"}, settings{Hostname: "192.0.2.8"}, false, false},
		{"unknown name in ssh_config", inventory.Host{Name: "laptop"}, settings{Hostname: "nowhere.vpn"}, false, false},
		{"forwarded port", inventory.Host{Name: "laptop", Address: "127.0.0.1"}, settings{Port: 2222}, false, false},
		{"behind a bastion", inventory.Host{Name: "laptop"}, settings{ProxyJump: "bastion"}, false, false},
		{"behind a command", inventory.Host{Name: "laptop"}, settings{ProxyCommand: "nc"}, false, false},
		{"other user", inventory.Host{Name: "laptop", User: "root"}, settings{}, false, false},
		{"other user in ssh_config", inventory.Host{Name: "laptop"}, settings{User: "root"}, false, false},
		{"a Mac by the same name", inventory.Host{Name: "laptop", Kind: inventory.Darwin}, settings{}, false, false},
		{"in a container with the network of its host", inventory.Host{Name: "laptop"}, settings{}, true, false},
	} {
		m := &thisMachine{
			name: "laptop", user: "mba", system: "linux", inContainer: tt.container,
			addresses: func() ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("100.64.0.7")}, nil
			},
			lookup: func(_ context.Context, name string) ([]netip.Addr, error) {
				known := map[string]string{"laptop.vpn": "100.64.0.7", "server.vpn": "100.64.0.8"}
				if known[name] == "" {
					return nil, errors.New("no such host")
				}
				return []netip.Addr{netip.MustParseAddr(known[name])}, nil
			},
			resolve: func(_ context.Context, to sshexec.Target) (settings, error) {
				s := settings{Hostname: to.Name, User: "mba", Port: 22, ProxyJump: tt.ssh.ProxyJump, ProxyCommand: tt.ssh.ProxyCommand}
				for _, v := range []struct{ to, from *string }{{&s.Hostname, &tt.ssh.Hostname}, {&s.Hostname, &to.Address}, {&s.User, &tt.ssh.User}, {&s.User, &to.User}} {
					if *v.from != "" {
						*v.to = *v.from
					}
				}
				if tt.ssh.Port != 0 {
					s.Port = tt.ssh.Port
				}
				return s, nil
			},
		}
		if tt.host.Kind == "" {
			tt.host.Kind = inventory.NixOS
		}
		if got := m.is(t.Context(), &tt.host); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}

// TestLocalHostIsRefusedElsewhere runs fleetctl on a machine that is not the one that an inventory
// with connect = "local" is about.
func TestLocalHostIsRefusedElsewhere(t *testing.T) {
	t.Parallel()
	here := &thisMachine{name: "runner-7", user: "mba", system: "linux"}
	for _, tt := range []struct {
		host inventory.Host
		want string
	}{
		{inventory.Host{Name: "laptop", Kind: inventory.NixOS, Attr: "laptop"}, `laptop: connect: it is worked on locally, and the machine that fleetctl runs on is "runner-7"`},
		{inventory.Host{Name: "laptop-home", Kind: inventory.Home, Attr: "mba@laptop"}, `laptop-home: connect: it is worked on locally, and the machine that fleetctl runs on is "runner-7"`},
		{inventory.Host{Name: "runner", Kind: inventory.NixOS, Attr: "runner-7"}, ""},
		{inventory.Host{Name: "runner-home", Kind: inventory.Home, Attr: "mba@runner-7"}, ""},
		{inventory.Host{Name: "runner-7", Kind: inventory.Darwin}, `runner-7: connect: its kind is "darwin", and this machine runs linux`},
		{inventory.Host{Name: "runner-7", Kind: inventory.NixOS, User: "root"}, `runner-7: connect: its user is "root", and fleetctl runs as "mba"`},
	} {
		err := here.refusal(&tt.host)
		if got := errorText(err); got != tt.want || err != nil && hint.Of(err) == "" {
			t.Errorf("%s: got %q", tt.host.Name, got)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// newLaptop returns the environment of an operator whose only host is the machine at hand, which
// has no SSH server.
func newLaptop(t *testing.T, h demo.Host, inventory string) (*testEnv, *demo.Fleet) {
	t.Helper()
	env, f := startDemoFleet(t, h)
	f.Server(h.Name).Close()
	for _, name := range []string{".ssh/config", ".ssh/known_hosts"} {
		if err := os.Remove(filepath.Join(f.Home, name)); err != nil {
			t.Fatal(err)
		}
	}
	text := "[fleet]\nname = \"demo\"\nremote = \"" + f.Origin + "\"\nbranch = \"main\"\n\n[defaults]\nrepo = \"~/Code/nixcfg\"\n\n" + inventory
	if err := os.WriteFile(f.Inventory, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	env.Machine, env.User, env.Home = h.Name, h.User, filepath.Join(f.Root(h.Name), "home", h.User)
	env.Environ = append(env.Environ, f.HostEnviron(h.Name)...)
	env.Environ = append(env.Environ, "XDG_STATE_HOME=", "XDG_CONFIG_HOME=", "SHELL=/bin/sh")
	return env, f
}

// TestFleetOfOneLaptopNeedsNoSSH uses an inventory that only names the machine at hand. Its address
// is set because the lookup of a name takes a second where there is no network.
func TestFleetOfOneLaptopNeedsNoSSH(t *testing.T) {
	t.Parallel()
	h := demo.Host{Name: "fleetctl-test-laptop", Kind: "nixos", User: "mba", Wave: 1, SudoPassword: "secret"}
	env, f := newLaptop(t, h, "[hosts."+h.Name+"]\nkind = \"nixos\"\nuser = \"mba\"\naddress = \"127.0.0.1\"\n")
	rev, err := f.Push(t.Context(), h.Name)
	if err != nil {
		t.Fatal(err)
	}
	prompts := 0
	env.Secret = func(context.Context, string) (string, error) {
		prompts++
		return "secret", nil
	}
	run := func(args ...string) (string, int) {
		*env.out, *env.err = syncBuffer{}, syncBuffer{}
		code := Main(env.Env, args)
		return env.out.String() + env.err.String(), code
	}
	for _, step := range []struct {
		args []string
		want string // in the output
	}{
		{[]string{"list"}, " local "},
		{[]string{"check", "--connect"}, "1 host, ok"},
		{[]string{"deploy", "--all", "--yes"}, rev[:7]},
		{[]string{"status"}, "current"},
		{[]string{"status", "--output", "json"}, `"address":"local"`},
		{[]string{"exec", h.Name, "--", "echo from $USER in $PWD"}, "from mba in " + env.Home},
		{[]string{"ssh", h.Name, "echo", "hello"}, "hello"},
		{[]string{"rollback", "--all", "--yes"}, "switched"},
		{[]string{"reboot", "--all", "--yes"}, "skipped: it is the machine that fleetctl runs on"},
	} {
		if got, code := run(step.args...); code != fleet.ExitOK || !strings.Contains(got, step.want) {
			t.Errorf("%q: exit code %d, want %q in\n%s", step.args, code, step.want, got)
		}
	}
	if prompts == 0 {
		t.Error("no prompt for sudo's password")
	}

	env.Machine = "runner-7"
	if got, code := run("status"); code != fleet.ExitUnreachable && code != fleet.ExitFailed {
		t.Errorf("on another machine: exit code %d\n%s", code, got)
	}
}
