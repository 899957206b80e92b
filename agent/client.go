package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// Client asks an agent. Its answers are clean: no control characters, no longer than they need to be.
type Client struct{ web *http.Client }

// NewClient makes a client of a way to connect, such as [AtSocket]. The client keeps a connection for a while: Close gives it back.
func NewClient(dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{&http.Client{
		Transport: &http.Transport{
			DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        keepAlive / 2, // before the agent's: no request meets a connection that goes away
			MaxResponseHeaderBytes: 16 << 10,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// AtSocket connects to a socket of this machine.
func AtSocket(path string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
}

// Close gives the kept connection back.
func (c *Client) Close() { c.web.CloseIdleConnections() }

// VersionError is an agent that does not speak this API: one too old or too new, or something else altogether.
type VersionError struct{ Agent string } // its version; "" where it has told none

func (e *VersionError) Error() string {
	if e.Agent == "" {
		return "what answers at the socket is no agent that this fleetctl knows"
	}
	return fmt.Sprintf("the agent is fleetctl %s, with another API than this one's", e.Agent)
}

// Health asks for the host's figures. An error may be a [*VersionError], or the [*Problem] that the agent answered with.
func (c *Client) Health(ctx context.Context) (*health.Health, error) {
	var h health.Health
	if err := c.get(ctx, "/v1/health", &h); err != nil {
		return nil, err
	}
	tidy(&h)
	return &h, nil
}

// Version asks which agent it is.
func (c *Client) Version(ctx context.Context) (Version, error) {
	var v Version
	err := c.get(ctx, "/v1/version", &v)
	v.Agent = word(v.Agent)
	if err == nil && v.API != API {
		err = &VersionError{v.Agent}
	}
	return v, err
}

// Watch calls show with the host's figures each interval, until show fails, ctx ends, or the agent leaves. It never returns nil.
func (c *Client) Watch(ctx context.Context, interval time.Duration, show func(*health.Health) error) error {
	answer, err := c.ask(ctx, "/v1/watch?interval="+url.QueryEscape(interval.String()), "application/jsonl")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, mostBytes)
	for lines.Scan() {
		var h health.Health
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			return fmt.Errorf("a line of the agent's: %w", err)
		}
		tidy(&h)
		if err := show(&h); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the agent has ended the watch")
}

// mostBytes is what an answer may have; 1,000 failed units have less.
const mostBytes = 256 << 10

func (c *Client) get(ctx context.Context, path string, to any) error {
	answer, err := c.ask(ctx, path, "application/json")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostBytes))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, to); err != nil {
		return fmt.Errorf("the agent's answer to %s: %w", path, err)
	}
	return nil
}

// ask returns the answer where it is what was asked for; its body is the caller's to close.
func (c *Client) ask(ctx context.Context, path, want string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.web.Do(r)
	if err != nil {
		var of *url.Error // names the URL, which is made up
		if errors.As(err, &of) {
			err = of.Err
		}
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if answer.StatusCode == http.StatusOK && kind == want {
		return answer, nil
	}
	defer answer.Body.Close()
	var p Problem
	told := json.NewDecoder(io.LimitReader(answer.Body, mostBytes)).Decode(&p)
	if kind != problemType || told != nil || answer.StatusCode == http.StatusNotFound {
		return nil, &VersionError{c.other(ctx, path)}
	}
	return nil, &Problem{Type: word(p.Type), Title: word(p.Title), Status: answer.StatusCode, Detail: word(p.Detail)}
}

// other asks an agent that does not know a path for its version; "" where it has none to tell.
func (c *Client) other(ctx context.Context, path string) string {
	const version = "/v1/version"
	if path == version {
		return ""
	}
	var v Version
	if c.get(ctx, version, &v) != nil {
		return ""
	}
	return word(v.Agent)
}
