package health

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
)

// AgentClient queries an agent. All text that it returns is sanitized: it has no control characters
// and a bounded length.
type AgentClient struct{ http *http.Client }

// NewAgentClient returns a client that connects with dial, for example [DialSocket]. The client
// keeps one idle connection for reuse; Close closes it.
func NewAgentClient(dial func(context.Context) (net.Conn, error)) *AgentClient {
	return &AgentClient{&http.Client{
		Transport: &http.Transport{
			DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
			MaxIdleConnsPerHost: 1,
			// Shorter than the agent's timeout, so that no request meets a closing connection.
			IdleConnTimeout:        AgentKeepAlive / 2,
			MaxResponseHeaderBytes: 16 << 10,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// DialSocket returns a dial function for a unix socket on this machine.
func DialSocket(path string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
}

// Close closes the idle connection.
func (c *AgentClient) Close() { c.http.CloseIdleConnections() }

// Health returns the host's health. The error may be an [*AgentVersionError] or a [*Problem] sent
// by the agent.
func (c *AgentClient) Health(ctx context.Context) (*Health, error) {
	var h Health
	if err := c.getJSON(ctx, "/v1/health", &h); err != nil {
		return nil, err
	}
	sanitize(&h)
	return &h, nil
}

const versionPath = "/v1/version"

// Version returns the agent's version. The error is an [*AgentVersionError] if its API is not
// [AgentAPI].
func (c *AgentClient) Version(ctx context.Context) (AgentVersion, error) {
	var v AgentVersion
	err := c.getJSON(ctx, versionPath, &v)
	v.Agent = sanitizeString(v.Agent)
	if err == nil && v.API != AgentAPI {
		err = &AgentVersionError{v.Agent}
	}
	return v, err
}

// Watch calls show with the host's health once per interval until show returns an error, ctx is
// done, or the agent ends the stream. It always returns a non-nil error.
func (c *AgentClient) Watch(ctx context.Context, interval time.Duration, show func(*Health) error) error {
	resp, err := c.get(ctx, "/v1/watch?interval="+url.QueryEscape(interval.String()), "application/jsonl")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxResponse)
	for lines.Scan() {
		var h Health
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			return fmt.Errorf("invalid line from the agent: %w", err)
		}
		sanitize(&h)
		if err := show(&h); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the agent closed the watch")
}

// maxResponse limits a response, or a line of a watch, in bytes. 1,000 failed units fit.
const maxResponse = 256 << 10

func (c *AgentClient) getJSON(ctx context.Context, path string, to any) error {
	resp, err := c.get(ctx, path, "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, to); err != nil {
		return fmt.Errorf("invalid response from the agent to %s: %w", path, err)
	}
	return nil
}

// get returns the response if it is a success of the given media type. The caller closes its body.
func (c *AgentClient) get(ctx context.Context, path, mediaType string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var urlErr *url.Error // its text has the URL, which is a placeholder
		if errors.As(err, &urlErr) {
			err = urlErr.Err
		}
		return nil, err
	}
	got, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode == http.StatusOK && got == mediaType {
		return resp, nil
	}
	defer resp.Body.Close()
	var p Problem
	decodeErr := json.NewDecoder(io.LimitReader(resp.Body, maxResponse)).Decode(&p)
	if got != ProblemType || decodeErr != nil || resp.StatusCode == http.StatusNotFound {
		return nil, &AgentVersionError{c.versionAfter(ctx, path)}
	}
	return nil, &Problem{
		Type:   sanitizeString(p.Type),
		Title:  sanitizeString(p.Title),
		Status: resp.StatusCode,
		Detail: sanitizeString(p.Detail),
	}
}

// versionAfter returns the version of an agent that does not know failedPath, or "".
func (c *AgentClient) versionAfter(ctx context.Context, failedPath string) string {
	if failedPath == versionPath {
		return ""
	}
	var v AgentVersion
	if c.getJSON(ctx, versionPath, &v) != nil {
		return ""
	}
	return sanitizeString(v.Agent)
}
