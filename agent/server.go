package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// Options configures [Serve].
type Options struct {
	Host   Host
	Limits Limits
	Idle   time.Duration // Serve returns after this long without a connection; 0 means never
}

// ioTimeout limits how long a client may take to send a request or to read a response.
const ioTimeout = 5 * time.Second

// Serve answers requests on l until ctx is done or the idle time has passed; it returns nil in both
// cases. It closes l.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	if err := o.Limits.Check(); err != nil {
		return errors.Join(err, l.Close())
	}
	idle := make(chan struct{})
	limited := newLimitedListener(l, o.Limits.Connections, o.Idle, func() { close(idle) })
	s := &server{
		limits:   o.Limits,
		version:  health.AgentVersion{Agent: o.Host.Agent, API: health.AgentAPI},
		sampler:  newSampler(o.Host),
		watchers: make(chan struct{}, o.Limits.Connections/2),
	}
	httpServer := &http.Server{
		Handler:        s.handler(newRateLimiter(o.Limits.Requests)),
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ReadTimeout:    ioTimeout,
		WriteTimeout:   ioTimeout,
		IdleTimeout:    health.AgentKeepAlive,
		ConnState:      limited.setState,
		MaxHeaderBytes: o.Limits.HeaderBytes - headerSlop,
		ErrorLog:       log.New(io.Discard, "", 0), // clients could fill the host's journal with it
	}
	served := make(chan error, 1)
	go func() { served <- httpServer.Serve(limited) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	case <-idle:
	}
	// Connections accepted by now are still answered. Later ones wait in systemd's socket for the
	// next agent.
	shutdownCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ioTimeout)
	defer cancel()
	err := httpServer.Shutdown(shutdownCtx)
	if err != nil {
		err = httpServer.Close()
	}
	<-served
	return err
}

type server struct {
	limits   Limits
	version  health.AgentVersion
	sampler  *sampler
	watchers chan struct{} // half of the connections: the other half is for single requests
}

// handler returns the routes, behind the rate limit.
func (s *server) handler(rate *rateLimiter) http.Handler {
	routes := http.NewServeMux()
	for path, handle := range map[string]http.HandlerFunc{
		"/v1/health":  s.health,
		"/v1/watch":   s.watch,
		"/v1/version": func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.version) },
	} {
		routes.HandleFunc("GET "+path, handle)
		routes.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, health.NewProblem(http.StatusMethodNotAllowed, "%s is read-only: use GET", path))
		})
	}
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, health.NewProblem(http.StatusNotFound, "valid paths are /v1/health, /v1/watch and /v1/version"))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !rate.allow(time.Now()) {
			w.Header().Set("Retry-After", "1")
			writeProblem(w, health.NewProblem(http.StatusTooManyRequests, "more than %d requests per second", s.limits.Requests))
			return
		}
		routes.ServeHTTP(w, r)
	})
}

func (s *server) health(w http.ResponseWriter, r *http.Request) {
	h, err := s.sampler.sample(r.Context())
	if err != nil {
		writeProblem(w, health.NewProblem(http.StatusServiceUnavailable, "the agent is shutting down"))
		return
	}
	writeJSON(w, h)
}

// writeJSON answers with a value. A write error means that the client has left.
func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value)
}

// writeProblem answers with an error. A write error means that the client has left.
func writeProblem(w http.ResponseWriter, p *health.Problem) {
	w.Header().Set("Content-Type", health.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// watch writes one line per interval until the client leaves or falls behind.
func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	interval, problem := s.interval(r)
	if problem != nil {
		writeProblem(w, problem)
		return
	}
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		w.Header().Set("Retry-After", "10")
		writeProblem(w, health.NewProblem(http.StatusServiceUnavailable, "the limit of %d watches is reached", cap(s.watchers)))
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return
	}
	lines, control := json.NewEncoder(w), http.NewResponseController(w)
	for tick := time.NewTicker(interval); ; {
		h, err := s.sampler.sample(r.Context())
		if err != nil || writeLine(control, lines, h) != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

func writeLine(control *http.ResponseController, lines *json.Encoder, h health.Health) error {
	if err := control.SetWriteDeadline(time.Now().Add(ioTimeout)); err != nil {
		return err
	}
	if err := lines.Encode(h); err != nil {
		return err
	}
	return control.Flush()
}

const defaultInterval = 2 * time.Second

// interval returns the interval that a watch asks for, or a problem if it is invalid.
func (s *server) interval(r *http.Request) (time.Duration, *health.Problem) {
	value := r.URL.Query().Get("interval")
	if value == "" {
		return min(max(defaultInterval, s.limits.MinInterval), s.limits.MaxInterval), nil
	}
	interval, err := time.ParseDuration(value)
	switch {
	case err != nil:
		return 0, health.NewProblem(http.StatusBadRequest, "invalid interval %q: must be a duration such as 2s", value)
	case interval < s.limits.MinInterval || interval > s.limits.MaxInterval:
		return 0, health.NewProblem(http.StatusBadRequest, "invalid interval %v: must be between %v and %v", interval, s.limits.MinInterval, s.limits.MaxInterval)
	}
	return interval, nil
}
