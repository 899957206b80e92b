package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/agent"
)

// local runs check --local on a socket.
func local(socket string) (out string, err error) {
	var said bytes.Buffer
	err = runCheckLocal(context.Background(), &Env{Out: &said, User: "mba", Now: time.Now}, socket)
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

func TestAnAgentWithoutASocketIsAUsageError(t *testing.T) {
	env := &Env{Getenv: func(string) string { return "" }}
	err := runAgent(t.Context(), env, agentOptions{limits: agent.DefaultLimits()})
	if exitCode(err, true) != 2 || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("got %v", err)
	}
}
