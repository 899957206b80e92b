package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// taped is a [host.Dialer] that records what scripts print.
type taped struct {
	*fleettest.Fleet
	first  sync.Once
	output []byte // of the first script
}

func (f *taped) Dial(ctx context.Context, h *inventory.Host) (host.Conn, error) {
	conn, err := f.Fleet.Dial(ctx, h)
	return tapedConn{conn, f}, err
}

type tapedConn struct {
	host.Conn
	tape *taped
}

func (c tapedConn) Run(ctx context.Context, cmd host.Command) (int, error) {
	var output bytes.Buffer
	cmd.Stdout = io.MultiWriter(cmd.Stdout, &output)
	exit, err := c.Conn.Run(ctx, cmd)
	c.tape.first.Do(func() {
		c.tape.output = bytes.ReplaceAll(output.Bytes(), []byte(tokenOf(cmd)), []byte("TOKEN"))
	})
	return exit, err
}

func tokenOf(cmd host.Command) string {
	at := slices.IndexFunc(cmd.Args, func(arg string) bool { return strings.HasPrefix(arg, "token=") })
	return strings.TrimPrefix(cmd.Args[at], "token=")
}

// replaying is a [host.Dialer] whose hosts answer every script with the same output, in which TOKEN
// stands for the token.
type replaying struct {
	output []byte
	err    error // after the output; nil means that the script exits
}

func (r replaying) Dial(context.Context, *inventory.Host) (host.Conn, error) { return r, nil }

func (r replaying) Run(_ context.Context, cmd host.Command) (int, error) {
	_, _ = cmd.Stdout.Write(bytes.ReplaceAll(r.output, []byte("TOKEN"), []byte(tokenOf(cmd))))
	return 0, r.err
}

func (replaying) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("no forwarding")
}

func (replaying) Close() error { return nil }

// TestPrefixOfAnswerIsAnError cuts the answer to every script at every byte, as a lost connection
// does.
func TestPrefixOfAnswerIsAnError(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	rev, err := f.Push(t.Context(), "web", "new-kernel")
	if err != nil {
		t.Fatal(err)
	}
	f.SetTests("web", "mba", map[string]string{"10-fine.sh": "echo fine", "20-fails.sh": "echo why; exit 7"})
	fleettest.Git(t, f.Checkout("web", "mba"), "add", "hosts")
	fleettest.Git(t, f.Checkout("web", "mba"), "commit", "-q", "-m", "tests")
	web := f.Inv.Hosts[0]
	ask := func(script func(token string) remote.Script) func(*host.Client) error {
		return func(c *host.Client) error {
			conn, err := c.Dialer.Dial(t.Context(), web)
			if err != nil {
				return err
			}
			defer conn.Close()
			_, err = host.Ask(t.Context(), conn, script)
			return err
		}
	}
	plan, err := fleet.NewPlan(f.Inv, f.Inv.Hosts, fleet.Options{Pinned: fleet.Revision{Commit: rev}}, "me@here")
	if err != nil {
		t.Fatal(err)
	}
	for name, query := range map[string]func(*host.Client) error{
		"probe": func(c *host.Client) (err error) {
			c.Status(t.Context(), f.Inv.Hosts, func(s host.Status) { err = s.Err })
			return err
		},
		"preview": func(c *host.Client) error { return c.Preview(t.Context(), plan, web, true).Err },
		"generations": func(c *host.Client) error {
			_, err := c.Generations(t.Context(), web)
			return err
		},
		"repotests": func(c *host.Client) (err error) {
			c.RunTests(t.Context(), f.Inv.Hosts, func(r host.TestResults) { err = r.Err })
			return err
		},
		"check": func(c *host.Client) error {
			for _, f := range c.Check(t.Context(), web).Findings {
				return errors.New(f.Text)
			}
			return nil
		},
		"lsremote": func(c *host.Client) (err error) {
			c.Tips(t.Context(), f.Inv.Hosts, func(tip host.Tip) { err = tip.Err })
			return err
		},
		"boot":   ask(remote.Boot),
		"cancel": ask(func(token string) remote.Script { return remote.Cancel(token, "no-run.web") }),
		"signal": ask(func(token string) remote.Script { return remote.Signal(token, "no-run.web", "go", "") }),
	} {
		t.Run(name, func(t *testing.T) {
			tape := &taped{Fleet: f}
			client := host.Client{Dialer: tape, Inventory: f.Inv}
			if err := query(&client); err != nil {
				t.Fatal(err)
			}
			whole := tape.output
			client.Dialer = replaying{output: whole}
			if err := query(&client); err != nil {
				t.Fatalf("the whole answer: %v", err)
			}
			header := bytes.Index(whole, []byte("@TOKEN ")) + bytes.IndexByte(whole[bytes.Index(whole, []byte("@TOKEN ")):], '\n')
			for n := range whole {
				for _, lost := range []error{nil, errors.New("connection reset")} {
					client.Dialer = replaying{whole[:n], lost}
					err := query(&client)
					if err == nil {
						t.Fatalf("no error after %d of %d bytes, lost: %v", n, len(whole), lost)
					}
					if n > header && lost == nil && !strings.Contains(err.Error(), "the host's answer is incomplete") {
						t.Fatalf("after %d of %d bytes: %v", n, len(whole), err)
					}
				}
			}
		})
	}
}

func TestAnswerMayBeLostAfterItsEnd(t *testing.T) {
	output := []byte("motd\n@TOKEN booted b1\n@TOKEN end\nfrom a child")
	header, err := host.Ask(t.Context(), replaying{output, errors.New("reset")}, remote.Boot)
	if err != nil || header.Code != "b1" {
		t.Errorf("%+v, %v", header, err)
	}
}

// flooding is a [host.Dialer] whose hosts answer every script with a start, and then without end
// with the same text, until their output is no longer read.
type flooding struct{ start, text string }

func (f flooding) Dial(context.Context, *inventory.Host) (host.Conn, error) {
	return floodingConn{replaying{}, f}, nil
}

type floodingConn struct {
	replaying
	flood flooding
}

func (c floodingConn) Run(ctx context.Context, cmd host.Command) (int, error) {
	_, err := io.WriteString(cmd.Stdout, strings.ReplaceAll(c.flood.start, "TOKEN", tokenOf(cmd)))
	for n := 0; err == nil && ctx.Err() == nil && n < 1<<30; n += len(c.flood.text) {
		_, err = io.WriteString(cmd.Stdout, c.flood.text)
	}
	<-ctx.Done() // the session stays open
	return 0, ctx.Err()
}

func TestFloodOfOutputIsAnError(t *testing.T) {
	web := &inventory.Host{Name: "web", Kind: inventory.NixOS, Repo: "~/cfg", Timeouts: inventory.DefaultTimeouts()}
	inv := &inventory.Inventory{Hosts: []*inventory.Host{web}}
	queries := map[string]func(c *host.Client) error{
		"probed": func(c *host.Client) (err error) {
			c.Status(t.Context(), inv.Hosts, func(s host.Status) { err = s.Err })
			return err
		},
		"planned": func(c *host.Client) error {
			return c.Preview(t.Context(), &fleet.Plan{Options: fleet.Options{Pinned: fleet.Revision{Commit: strings.Repeat("1", 40)}}}, web, false).Err
		},
		"generations": func(c *host.Client) error {
			_, err := c.Generations(t.Context(), web)
			return err
		},
	}
	text := strings.Repeat("x", 8<<10)
	for word, query := range queries {
		for where, start := range map[string]string{"before the header": "", "in the header": "@TOKEN ", "after the header": "@TOKEN " + word + "\n"} {
			started := time.Now()
			err := query(&host.Client{Dialer: flooding{start, text}, Inventory: inv})
			var coded interface{ Code() string }
			if !errors.As(err, &coded) || coded.Code() != string(fleet.CodeExcess) {
				t.Errorf("%s, flood %s: %v", word, where, err)
			}
			if time.Since(started) > 10*time.Second {
				t.Errorf("%s, flood %s: took %v", word, where, time.Since(started))
			}
		}
	}
	c := host.Client{Dialer: flooding{"", text}, Inventory: inv}
	if r := c.Check(t.Context(), web); len(r.Findings) == 0 || r.Findings[0].Code != fleet.CodeExcess {
		t.Errorf("check: %+v", r)
	}
	c.RunTests(t.Context(), inv.Hosts, func(r host.TestResults) {
		var coded interface{ Code() string }
		if !errors.As(r.Err, &coded) || coded.Code() != string(fleet.CodeExcess) {
			t.Errorf("repository tests: %v", r.Err)
		}
	})
}

func TestRunTestsLimitsTests(t *testing.T) {
	web := &inventory.Host{Name: "web", Kind: inventory.NixOS, Repo: "~/cfg", Timeouts: inventory.DefaultTimeouts()}
	c := host.Client{Inventory: &inventory.Inventory{Hosts: []*inventory.Host{web}}}
	run := func(start, text string) (results host.TestResults) {
		c.Dialer = flooding{start, text}
		c.RunTests(t.Context(), c.Inventory.Hosts, func(r host.TestResults) { results = r })
		return results
	}
	many := run("@TOKEN following N 0\n", "N fact test a\nN fact exit 0 1\n")
	if many.Err == nil || len(many.Tests) > 1000 {
		t.Errorf("%d tests, %v", len(many.Tests), many.Err)
	}
	loud := "@TOKEN following N 0\nN fact test a\n" + strings.Repeat(strings.Repeat("x", 60<<10)+"\n", 100) +
		"N fact exit 99999999999 -5\nN end tested - test\n"
	if got := run(loud, ""); got.Err != nil || len(fmt.Sprint(got.Tests[0].Output)) > 300<<10 || got.Tests[0].Exit != -1 || got.Tests[0].Seconds != -1 {
		t.Errorf("%d lines, exit %d after %d s, %v", len(got.Tests[0].Output), got.Tests[0].Exit, got.Tests[0].Seconds, got.Err)
	}
}
