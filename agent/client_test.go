package agent

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestAClientIsToldWhatTheAgentSees(t *testing.T) {
	path, _ := anAgent(t, nil)
	client := NewClient(AtSocket(path))
	defer client.Close()
	h, err := client.Health(t.Context())
	if err != nil || h.System.Generation != 42 {
		t.Errorf("got %+v, %v", h, err)
	}
	if v, err := client.Version(t.Context()); err != nil || v != (Version{"0.1.0", API}) {
		t.Errorf("got %+v, %v", v, err)
	}
	enough := errors.New("enough")
	seen := 0
	err = client.Watch(t.Context(), time.Second, func(h *health.Health) error {
		if seen++; seen == 2 {
			if h.CPU == nil {
				t.Error("it does not tell how busy the host was since the line before")
			}
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("the watch ended with %v after %d", err, seen)
	}
}

func TestAClientIsToldOfTheProblem(t *testing.T) {
	path, _ := anAgent(t, nil)
	client := NewClient(AtSocket(path))
	defer client.Close()
	var p *Problem
	err := client.Watch(t.Context(), time.Millisecond, func(*health.Health) error { return nil })
	if !errors.As(err, &p) || p.Status != http.StatusBadRequest || !strings.Contains(p.Detail, "from 1s to 1h") {
		t.Errorf("got %v", err)
	}
}

// of is a client of a handler that need not be an agent.
func of(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	client := NewClient(func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", web.Listener.Addr().String())
	})
	t.Cleanup(client.Close)
	return client
}

func TestAnAgentOfAnotherAPIIsToldByItsVersion(t *testing.T) {
	client := of(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/version" {
			answer(w, Version{"9.0.0", API + 1})
			return
		}
		problem(http.StatusNotFound, "gone").answer(w)
	})
	var other *VersionError
	if _, err := client.Health(t.Context()); !errors.As(err, &other) || other.Agent != "9.0.0" {
		t.Errorf("health: %v", err)
	}
	if _, err := client.Version(t.Context()); !errors.As(err, &other) || other.Agent != "9.0.0" {
		t.Errorf("version: %v", err)
	}
}

func TestWhatIsNoAgentIsNotTakenForOne(t *testing.T) {
	client := of(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "hello", http.StatusOK) })
	var other *VersionError
	if _, err := client.Health(t.Context()); !errors.As(err, &other) || other.Agent != "" {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	client := of(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for {
			if _, err := w.Write([]byte(strings.Repeat("[", 1<<16))); err != nil {
				return
			}
		}
	})
	if _, err := client.Health(t.Context()); err == nil {
		t.Error("it was believed")
	}
}

// Whatever a host's agent says, none of it moves the cursor of the operator's terminal.
func FuzzAnswersAreClean(f *testing.F) {
	f.Add("\x1b[2J", "a\u202eb\nc")
	f.Fuzz(func(t *testing.T, name, unit string) {
		h := health.Health{Host: name, OS: unit, FailedUnits: []string{unit}, Job: &health.Job{Who: name}, Checkout: &health.Checkout{Subject: unit}}
		tidy(&h)
		for _, said := range []string{h.Host, h.OS, h.FailedUnits[0], h.Job.Who, h.Checkout.Subject} {
			if i := strings.IndexFunc(said, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Bidi_Control) }); i >= 0 {
				t.Errorf("%q at %d of %q", said[i:], i, said)
			}
		}
	})
}
