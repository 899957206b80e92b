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

// Options are how an agent serves.
type Options struct {
	Host   Host
	Limits Limits
	Idle   time.Duration // it leaves when nobody was connected for so long; 0 is never
}

const patience = 5 * time.Second // with who sends a request, or does not read an answer

// Serve answers on a listener, which it closes, until ctx ends or it has been idle. It returns nil for both.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	if err := o.Limits.Check(); err != nil {
		return errors.Join(err, l.Close())
	}
	idle := make(chan struct{})
	door := newDoor(l, o.Limits.Connections, o.Idle, func() { close(idle) })
	s := &server{
		limits:   o.Limits,
		version:  health.AgentVersion{Agent: o.Host.Agent, API: health.AgentAPI},
		sampler:  newSampler(o.Host),
		watchers: make(chan struct{}, o.Limits.Connections/2),
	}
	web := &http.Server{
		Handler:        s.handler(newBucket(o.Limits.Requests)),
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ReadTimeout:    patience,
		WriteTimeout:   patience,
		IdleTimeout:    health.AgentKeepAlive,
		MaxHeaderBytes: o.Limits.HeaderBytes - headerSlop,
		ErrorLog:       log.New(io.Discard, "", 0), // it would let a client fill the host's journal
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(door) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	case <-idle:
	}
	// Who came in at the last moment is answered; who has not come in waits at systemd's socket for the next agent.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := web.Shutdown(last)
	if err != nil {
		err = web.Close()
	}
	<-served
	return err
}

type server struct {
	limits   Limits
	version  health.AgentVersion
	sampler  *sampler
	watchers chan struct{} // half of the connections: the other half is for those who ask once
}

// handler is the routes, behind the limit of requests.
func (s *server) handler(requests *bucket) http.Handler {
	routes := http.NewServeMux()
	for path, handle := range map[string]http.HandlerFunc{
		"/v1/health":  s.health,
		"/v1/watch":   s.watch,
		"/v1/version": func(w http.ResponseWriter, _ *http.Request) { answer(w, s.version) },
	} {
		routes.HandleFunc("GET "+path, handle)
		routes.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, health.NewProblem(http.StatusMethodNotAllowed, "%s only reads: use GET", path))
		})
	}
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, health.NewProblem(http.StatusNotFound, "there are /v1/health, /v1/watch and /v1/version"))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !requests.take(time.Now()) {
			w.Header().Set("Retry-After", "1")
			writeProblem(w, health.NewProblem(http.StatusTooManyRequests, "more than %d requests a second", s.limits.Requests))
			return
		}
		routes.ServeHTTP(w, r)
	})
}

func (s *server) health(w http.ResponseWriter, r *http.Request) {
	h, err := s.sampler.sample(r.Context())
	if err != nil {
		writeProblem(w, health.NewProblem(http.StatusServiceUnavailable, "the agent is leaving"))
		return
	}
	answer(w, h)
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value) // who does not read it, has left
}

// watch writes a line each interval, until the reader leaves or falls behind.
func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	interval, wrong := s.interval(r)
	if wrong != nil {
		writeProblem(w, wrong)
		return
	}
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		w.Header().Set("Retry-After", "10")
		writeProblem(w, health.NewProblem(http.StatusServiceUnavailable, "%d watch already, which is as many as may", cap(s.watchers)))
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
		if err != nil || s.line(control, lines, h) != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

func (s *server) line(control *http.ResponseController, lines *json.Encoder, h health.Health) error {
	if err := control.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := lines.Encode(h); err != nil {
		return err
	}
	return control.Flush()
}

const defaultInterval = 2 * time.Second

func (s *server) interval(r *http.Request) (time.Duration, *health.Problem) {
	asked := r.URL.Query().Get("interval")
	if asked == "" {
		return min(max(defaultInterval, s.limits.MinInterval), s.limits.MaxInterval), nil
	}
	interval, err := time.ParseDuration(asked)
	switch {
	case err != nil:
		return 0, health.NewProblem(http.StatusBadRequest, "interval %q is no duration: write it as 2s", asked)
	case interval < s.limits.MinInterval || interval > s.limits.MaxInterval:
		return 0, health.NewProblem(http.StatusBadRequest, "interval %v: must be from %v to %v", interval, s.limits.MinInterval, s.limits.MaxInterval)
	}
	return interval, nil
}

func writeProblem(w http.ResponseWriter, p *health.Problem) {
	w.Header().Set("Content-Type", health.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // an error means that the client has left
}
