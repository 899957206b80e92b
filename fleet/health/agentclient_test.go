package health

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
)

// newTestClient returns a client of a server that need not be an agent.
func newTestClient(t *testing.T, handler http.HandlerFunc) *AgentClient {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := NewAgentClient(func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", server.Listener.Addr().String())
	})
	t.Cleanup(client.Close)
	return client
}

func TestClientReportsVersionOfAgentWithOtherAPI(t *testing.T) {
	client := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/version" {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(AgentVersion{"9.0.0", AgentAPI + 1})
			return
		}
		w.Header().Set("Content-Type", ProblemType)
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(NewProblem(http.StatusNotFound, "gone"))
	})
	var other *AgentVersionError
	if _, err := client.Health(t.Context()); !errors.As(err, &other) || other.Agent != "9.0.0" {
		t.Errorf("health: %v", err)
	}
	if _, err := client.Version(t.Context()); !errors.As(err, &other) || other.Agent != "9.0.0" {
		t.Errorf("version: %v", err)
	}
}

func TestClientRejectsServerThatIsNotAnAgent(t *testing.T) {
	client := newTestClient(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "hello", http.StatusOK) })
	var other *AgentVersionError
	if _, err := client.Health(t.Context()); !errors.As(err, &other) || other.Agent != "" {
		t.Errorf("got %v", err)
	}
}

func TestClientReturnsProblemOfAgent(t *testing.T) {
	for _, tt := range []struct {
		name      string
		status    int
		mediaType string
		body      string
		problem   bool // otherwise, the server is not an agent with the same API
	}{
		{"problem", 503, ProblemType, `{"type":"about:blank","title":"busy","status":500,"detail":"try\u001b[31m again"}`, true},
		{"problem with a parameter", 503, ProblemType + "; charset=utf-8",
			`{"type":"about:blank","title":"busy","status":500,"detail":"try\u001b[31m again"}`, true},
		{"other media type", 503, "application/json", `{"title":"busy"}`, false},
		{"not JSON", 503, ProblemType, "busy", false},
		{"unknown path", 404, ProblemType, `{"title":"Not Found"}`, false},
		{"problem instead of a result", 200, ProblemType, `{"title":"busy"}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", tt.mediaType)
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			_, err := client.Health(t.Context())
			var p *Problem
			if errors.As(err, &p) != tt.problem {
				t.Fatalf("got %v", err)
			}
			var other *AgentVersionError
			if errors.As(err, &other) == tt.problem {
				t.Fatalf("got %v", err)
			}
			if tt.problem && (p.Title != "busy" || p.Status != tt.status || strings.Contains(p.Detail, "\x1b")) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestClientLimitsEndlessResponse(t *testing.T) {
	client := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for {
			if _, err := w.Write([]byte(strings.Repeat("[", 1<<16))); err != nil {
				return
			}
		}
	})
	if _, err := client.Health(t.Context()); err == nil {
		t.Error("an endless response was accepted")
	}
}

// FuzzHealthIsSanitized checks that no text from an agent can control the operator's terminal.
func FuzzHealthIsSanitized(f *testing.F) {
	f.Add("\x1b[2J", "a\u202eb\nc")
	f.Fuzz(func(t *testing.T, name, unit string) {
		h := Health{
			Host:        name,
			OS:          unit,
			FailedUnits: []string{unit},
			Job:         &Job{Who: name},
			Checkout:    &Checkout{Subject: unit},
		}
		sanitize(&h)
		for _, text := range []string{h.Host, h.OS, h.FailedUnits[0], h.Job.Who, h.Checkout.Subject} {
			i := strings.IndexFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Bidi_Control) })
			if i >= 0 {
				t.Errorf("%q at %d of %q", text[i:], i, text)
			}
		}
	})
}
