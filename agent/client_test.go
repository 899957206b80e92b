package agent

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestClientReadsHealthVersionAndWatch(t *testing.T) {
	t.Parallel()
	path, _ := startAgent(t, nil)
	client := health.NewAgentClient(health.DialSocket(path))
	defer client.Close()
	h, err := client.Health(t.Context())
	if err != nil || h.System.Generation != 42 {
		t.Errorf("got %+v, %v", h, err)
	}
	want := health.AgentVersion{Agent: "0.1.0", API: health.AgentAPI}
	if v, err := client.Version(t.Context()); err != nil || v != want {
		t.Errorf("got %+v, %v", v, err)
	}
	enough := errors.New("enough")
	lines := 0
	err = client.Watch(t.Context(), time.Second, func(h *health.Health) error {
		if lines++; lines == 2 {
			if h.CPU == nil {
				t.Error("the second line has no CPU usage since the first")
			}
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("the watch ended with %v after %d lines", err, lines)
	}
}

func TestClientReturnsProblem(t *testing.T) {
	path, _ := startAgent(t, nil)
	client := health.NewAgentClient(health.DialSocket(path))
	defer client.Close()
	var p *health.Problem
	err := client.Watch(t.Context(), time.Millisecond, func(*health.Health) error { return nil })
	if !errors.As(err, &p) || p.Status != http.StatusBadRequest || !strings.Contains(p.Detail, "between 1s and 1h") {
		t.Errorf("got %v", err)
	}
}
