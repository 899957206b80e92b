package cli

import (
	"bytes"
	"context"
	"encoding/json"
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
	"github.com/markus-barta/nixfleet/fleet/health"
)

// checkLocal runs check --local on a socket.
func checkLocal(socket string) (out string, err error) {
	var stdout bytes.Buffer
	err = runCheckLocal(context.Background(), &Env{Out: &stdout, User: "mba", Now: time.Now}, []string{socket})
	return stdout.String(), err
}

func TestCheckLocalReportsAccessAndAnswer(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "a.sock")
	l, err := agent.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() {
		served <- agent.Serve(ctx, l, agent.Options{Host: agent.Host{Agent: "0.1.0", Kind: "home"}, Limits: agent.DefaultLimits()})
	}()
	out, err := checkLocal(socket)
	if err != nil || !strings.Contains(out, "group ") || !strings.Contains(out, "(mode 0660)") ||
		!strings.Contains(out, "fleetctl 0.1.0 answers for") {
		t.Errorf("printed %q, error %v", out, err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	if out, _ := checkLocal(socket); !strings.Contains(out, "every user of this host may connect") {
		t.Errorf("printed %q", out)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}

	var hinted interface{ Hint() string }
	if _, err := checkLocal(socket); exitCode(err, true) != 1 || !errors.As(err, &hinted) || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("without an agent: %v", err)
	}
}

func TestCheckLocalFindsAgentsOfHomeAndMachine(t *testing.T) {
	runtime, home := t.TempDir(), t.TempDir()
	env := &Env{Home: home, Getenv: func(name string) string { return map[string]string{"XDG_RUNTIME_DIR": runtime}[name] }}
	if got := agentSockets(env, "/named"); !slices.Equal(got, []string{"/named"}) {
		t.Errorf("with a named socket: got %q", got)
	}
	var want []string
	for _, socket := range []string{filepath.Join(runtime, "fleetctl-agent/agent.sock"), filepath.Join(home, ".local/state/fleetctl/agent.sock")} {
		l, err := agent.Listen(socket)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		want = append(want, socket)
		if got := agentSockets(env, ""); !slices.Equal(got[:len(want)], want) {
			t.Errorf("got %q, want %q first", got, want)
		}
	}
}

// TestAgentLimitsMatchDocumentation compares the flags and their defaults with docs/agent-api.md.
// nix/tests/eval.nix does the same for the modules.
func TestAgentLimitsMatchDocumentation(t *testing.T) {
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
				t.Errorf("documented flag --%s does not exist", name)
				continue
			}
			value := f.DefValue
			if name == "idle" {
				value = defaultIdle.String()
			}
			if d, err := time.ParseDuration(defaults[i]); value != defaults[i] && (err != nil || value != d.String()) {
				t.Errorf("default of --%s is %s, documented as %s", name, value, defaults[i])
			}
		}
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if !documented[f.Name] {
			t.Errorf("--%s is not documented", f.Name)
		}
	})
}

// TestAgentManualPageIsComplete compares docs/man/fleetctl-agent.8 with the flags and their
// defaults, the sockets, the endpoints, and the version in the program.
func TestAgentManualPageIsComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/man/fleetctl-agent.8")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), `\-`, "-")
	want := []string{".TH FLEETCTL-AGENT 8 " + releaseDate + " \"fleetctl " + release + "\" "}
	newAgent(&Env{}).Flags().VisitAll(func(f *pflag.Flag) {
		want = append(want, `\fB--`+f.Name+`\fR \fI`)
		switch value := f.DefValue; {
		case f.Name == "idle":
			want = append(want, "is "+defaultIdle.String())
		case value != "":
			want = append(want, " "+strings.TrimSuffix(strings.TrimSuffix(value, "0s"), "0m"))
		}
	})
	for _, socket := range health.Sockets(func(name string) string { return "$" + name }, "", 0) {
		want = append(want, ".I "+socket+"\n")
	}
	var api struct{ Paths map[string]any }
	if err := json.Unmarshal(schemas()["agent"](), &api); err != nil {
		t.Fatal(err)
	}
	for path := range api.Paths {
		want = append(want, ".B GET "+path)
	}
	if len(want) < 15 {
		t.Errorf("there is too little to compare with: %q", want)
	}
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("fleetctl-agent(8) lacks %q", w)
		}
	}
}

func TestAgentWithoutSocketIsUsageError(t *testing.T) {
	env := &Env{Getenv: func(string) string { return "" }}
	err := runAgent(t.Context(), env, agentOptions{limits: agent.DefaultLimits()})
	if exitCode(err, true) != 2 || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("got %v", err)
	}
}
