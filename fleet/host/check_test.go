package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// codes returns the codes of findings, with a question mark after those of warnings.
func codes(findings []host.Finding) []string {
	var list []string
	for _, f := range findings {
		code := string(f.Code)
		if f.Warning {
			code += "?"
		}
		list = append(list, code)
	}
	slices.Sort(list)
	return list
}

// TestCheckFindsEverythingThatDeployWouldTripOver has several problems on one host, since a check
// does not stop at the first.
func TestCheckFindsEverythingThatDeployWouldTripOver(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "fine", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "bad", Kind: "nixos", User: "mba", Wave: 1, SudoPassword: "s", Dirty: true})
	for name, text := range map[string]string{
		"etc/demo/no-daemon":             "",
		"home/mba/.local/state/fleetctl": "a file in the way of the directory",
		"proc/sys/kernel/hostname":       "fine\n",
	} {
		path := filepath.Join(f.Root("bad"), name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	fleettest.Git(t, f.Checkout("bad", "mba"), "remote", "set-url", "origin", "/nowhere")
	want := map[string][]string{"bad": {"dirty", "no-access", "no-daemon", "no-home", "other-host", "sudo-password?"}}
	for _, h := range f.Inv.Hosts {
		found := f.Client.Check(t.Context(), h).Findings
		if got := codes(found); !slices.Equal(got, want[h.Name]) {
			t.Errorf("%s: got %q, want %q", h.Name, got, want[h.Name])
		}
		for _, finding := range found {
			if finding.Text == "" || finding.Hint == "" {
				t.Errorf("%s: %+v has no sentence or no hint", h.Name, finding)
			}
		}
	}
}

// TestDeployRefusesMachineWithNameOfAnotherHost lets a machine be renamed: to any name that no
// other host has, or with AllowRename.
func TestDeployRefusesMachineWithNameOfAnotherHost(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "db", Kind: "nixos", User: "mba", Wave: 1})
	rename := func(name string) {
		if err := os.WriteFile(filepath.Join(f.Root("web"), "proc/sys/kernel/hostname"), []byte(name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	deploy := func(o fleet.Options) *fleet.Result {
		o.Goal = fleet.GoalBuild
		state := f.Run(o)
		return state.Host("web").Result
	}
	rename("db.example.org")
	if r := deploy(fleet.Options{}); r.Outcome != fleet.Failed || r.Code != "other-host" || r.Step != fleet.Preflight {
		t.Errorf("got %+v, want failed (other-host)", r)
	}
	if p := f.Preview(fleet.Options{}, "", false); p.Err != nil || p.Code != "other-host" {
		t.Errorf("the plan of such a deploy: %q, %v", p.Code, p.Err)
	}
	if r := deploy(fleet.Options{AllowRename: true}); !r.Outcome.Good() {
		t.Errorf("with AllowRename: %+v", r)
	}
	rename("nixos")
	if r := deploy(fleet.Options{}); !r.Outcome.Good() {
		t.Errorf("with a name that no host has: %+v", r)
	}
}

// checkHosts returns hosts of which all answer a check with the same text.
func checkHosts(text string) (replaying, *inventory.Inventory) {
	inv := &inventory.Inventory{}
	for _, h := range []inventory.Host{
		{Name: "a", Attr: "a"}, {Name: "b", Attr: "b"}, {Name: "again", Attr: "a"},
		{Name: "ha", Kind: inventory.Home, Attr: "u@a"}, {Name: "hb", Kind: inventory.Home, Attr: "u@b"},
	} {
		if h.Kind == "" {
			h.Kind = inventory.NixOS
		}
		h.Repo, h.Timeouts = "~/c", inventory.DefaultTimeouts()
		inv.Hosts = append(inv.Hosts, &h)
	}
	return replaying{output: []byte("@TOKEN checked\n" + text + "@TOKEN end\n")}, inv
}

func TestCheckFindsHostsThatAreOneMachine(t *testing.T) {
	t.Parallel()
	dialer, inv := checkHosts("user u\nmachine m/1/a\n")
	c := host.Client{Dialer: dialer, Inventory: inv}
	var all []host.Checked
	for _, h := range inv.Hosts {
		all = append(all, c.Check(t.Context(), h))
	}
	host.SameMachines(all)
	for i, want := range []string{"", `machine of "a", whose attr is "a", not "b"`, "", "", `home of "ha", whose attr is "u@a", not "u@b"`} {
		text := fmt.Sprint(all[i].Findings)
		if found := len(all[i].Findings) > 0; found != (want != "") || !strings.Contains(text, want) {
			t.Errorf("%s: got %s, want %q", all[i].Host.Name, text, want)
		}
	}
}

func TestCheckWarnsOfClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		fmt.Sprintf("clock %d\n", time.Now().Unix()):                     "",
		fmt.Sprintf("clock %d\n", time.Now().Add(time.Hour).Unix()):      "ahead of that of this machine",
		fmt.Sprintf("clock %d\n", time.Now().Add(-2*time.Minute).Unix()): "behind that of this machine",
	} {
		dialer, inv := checkHosts(text)
		found := (&host.Client{Dialer: dialer, Inventory: inv}).Check(t.Context(), inv.Hosts[0]).Findings
		if len(found) != min(1, len(want)) || want != "" && (!found[0].Warning || !strings.Contains(found[0].Text, want)) {
			t.Errorf("%s: got %+v, want %q", text, found, want)
		}
	}
}

// narrow is a [host.Dialer] whose hosts accept a number of logins, and on each a number of open
// sessions.
type narrow struct {
	replaying
	logins, sessions int
}

func (n *narrow) Dial(context.Context, *inventory.Host) (host.Conn, error) {
	if n.logins--; n.logins < 0 {
		return nil, errors.New("connection reset")
	}
	return n, nil
}

func (n *narrow) Run(ctx context.Context, cmd host.Command) (int, error) {
	check := slices.ContainsFunc(cmd.Args, func(arg string) bool { return strings.HasPrefix(arg, "kind=") })
	if !check { // it stays open
		if n.sessions--; n.sessions < 0 {
			return 0, errors.New("session rejected")
		}
		_, _ = io.WriteString(cmd.Stdout, "@"+tokenOf(cmd)+" held\n")
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return n.replaying.Run(ctx, cmd)
}

func TestCheckFindsLimitsOfSessionsAndLogins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		logins, sessions int
		want             string
	}{{2, 3, ""}, {2, 1, "session"}, {1, 3, "login"}} {
		dialer, inv := checkHosts("")
		c := host.Client{Dialer: &narrow{dialer, tt.logins, tt.sessions}, Inventory: inv}
		if got := strings.Join(codes(c.Check(t.Context(), inv.Hosts[0]).Findings), " "); got != tt.want {
			t.Errorf("%d logins, %d sessions: got %q, want %q", tt.logins, tt.sessions, got, tt.want)
		}
	}
}
