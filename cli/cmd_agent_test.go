package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/agent"
)

// local runs check --local on a socket.
func local(socket string) (out string, err error) {
	var said bytes.Buffer
	err = runCheckLocal(context.Background(), &Env{Out: &said, User: "mba", Now: time.Now}, []string{socket})
	return said.String(), err
}

func TestCheckLocalSaysWhoMayAskAndThatItAnswers(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "a.sock")
	l, err := agent.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	left := make(chan error)
	go func() {
		left <- agent.Serve(ctx, l, agent.Options{Host: agent.Host{Agent: "0.1.0", Kind: "home"}, Limits: agent.DefaultLimits()})
	}()
	out, err := local(socket)
	if err != nil || !strings.Contains(out, "the group ") || !strings.Contains(out, "(mode 0660)") ||
		!strings.Contains(out, "fleetctl 0.1.0 answers for") {
		t.Errorf("it said %q, %v", out, err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	if out, _ := local(socket); !strings.Contains(out, "everybody on this host may ask") {
		t.Errorf("it said %q", out)
	}
	stop()
	if err := <-left; err != nil {
		t.Error(err)
	}

	var hinted interface{ Hint() string }
	if _, err := local(socket); exitCode(err, true) != 1 || !errors.As(err, &hinted) || !strings.Contains(err.Error(), "there is no socket") {
		t.Errorf("without an agent: %v", err)
	}
}

func TestCheckLocalFindsTheHomesAgentAndTheMachines(t *testing.T) {
	runtime, home := t.TempDir(), t.TempDir()
	env := &Env{Home: home, Getenv: func(name string) string { return map[string]string{"XDG_RUNTIME_DIR": runtime}[name] }}
	if got := socketsHere(env, "/named"); !slices.Equal(got, []string{"/named"}) {
		t.Errorf("one was named, and it looks at %q", got)
	}
	var want []string
	for _, socket := range []string{filepath.Join(runtime, "fleetctl-agent/agent.sock"), filepath.Join(home, ".local/state/fleetctl/agent.sock")} {
		l, err := agent.Listen(socket)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		want = append(want, socket)
		if got := socketsHere(env, ""); !slices.Equal(got[:len(want)], want) {
			t.Errorf("it looks at %q, there are %q", got, want)
		}
	}
}

// Each limit of docs/agent-api.md is a flag, with that default, and each flag that is a limit is there. nix/tests/eval.nix has the modules
// agree with the page, too.
func TestTheDocumentedLimitsAreTheCommands(t *testing.T) {
	text, err := os.ReadFile("../docs/agent-api.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := newAgent(&Env{}).Flags()
	documented := map[string]bool{"help": true, "socket": true, "kind": true}
	for _, row := range regexp.MustCompile("(?m)^\\| (`--.*?) \\| (.*?) \\|").FindAllStringSubmatch(string(text), -1) {
		names, defaults := strings.Split(row[1], ", "), strings.Split(row[2], ", ")
		for i, name := range names {
			name = strings.Trim(name, "`-")
			documented[name] = true
			f := flags.Lookup(name)
			if f == nil {
				t.Errorf("there is no --%s", name)
				continue
			}
			is := f.DefValue
			if name == "idle" {
				is = idleByDefault.String()
			}
			if d, err := time.ParseDuration(defaults[i]); is != defaults[i] && (err != nil || is != d.String()) {
				t.Errorf("--%s is %s where it is not given, documented is %s", name, is, defaults[i])
			}
		}
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if !documented[f.Name] {
			t.Errorf("--%s is not documented", f.Name)
		}
	})
}

func TestAnAgentWithoutASocketIsAUsageError(t *testing.T) {
	env := &Env{Getenv: func(string) string { return "" }}
	err := runAgent(t.Context(), env, agentOptions{limits: agent.DefaultLimits()})
	if exitCode(err, true) != 2 || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("got %v", err)
	}
}
