package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/agent"
)

// A jsonNode is an object of JSON.
type jsonNode = map[string]any

// at returns the node at a path of keys in a document, and follows references.
func at(document, node jsonNode, keys ...string) jsonNode {
	for _, key := range keys {
		node, _ = node[key].(jsonNode)
		if ref, ok := node["$ref"].(string); ok {
			node = at(document, document, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	}
	return node
}

// violations returns in what a value differs from a schema, of which it follows what the agent's
// description uses.
func violations(document, schema jsonNode, path string, value any) (found []string) {
	if ref, ok := schema["$ref"].(string); ok {
		schema = at(document, document, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	if want, ok := schema["const"]; ok && value != want {
		found = append(found, fmt.Sprintf("%s is %v, not %v", path, value, want))
	}
	types := map[string]bool{}
	switch value := value.(type) {
	case jsonNode:
		types["object"] = true
		properties, _ := schema["properties"].(jsonNode)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if value[name.(string)] == nil {
				found = append(found, fmt.Sprintf("%s lacks %s", path, name))
			}
		}
		for name, inner := range value {
			if properties[name] == nil {
				found = append(found, fmt.Sprintf("%s has %s", path, name))
				continue
			}
			found = append(found, violations(document, properties[name].(jsonNode), path+"."+name, inner)...)
		}
	case []any:
		types["array"] = true
		items, _ := schema["items"].(jsonNode)
		for i, inner := range value {
			found = append(found, violations(document, items, fmt.Sprintf("%s[%d]", path, i), inner)...)
		}
	case string:
		types["string"] = true
	case bool:
		types["boolean"] = true
	case float64:
		types["number"], types["integer"] = true, value == float64(int64(value))
	}
	if want, ok := schema["type"].(string); ok && !types[want] {
		found = append(found, fmt.Sprintf("%s is not of the type %s: %v", path, want, value))
	}
	return found
}

// TestAgentAnswersAsItsDescriptionSays sends requests for each status to an agent, and compares the
// answers with fleetctl schema agent.
func TestAgentAnswersAsItsDescriptionSays(t *testing.T) {
	t.Parallel()
	var document jsonNode
	if err := json.Unmarshal(schemas()["agent"](), &document); err != nil {
		t.Fatal(err)
	}
	get := func(path string, limits agent.Limits, times int) *http.Response {
		t.Helper()
		socket := filepath.Join(t.TempDir(), "a.sock")
		l, err := agent.Listen(socket)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() {
			served <- agent.Serve(ctx, l, agent.Options{Host: agent.Host{Root: t.TempDir(), Agent: "0.1.0", Kind: "nixos"}, Limits: limits})
		}()
		dialer := &net.Dialer{}
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}}
		var response *http.Response
		for range times {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Long", strings.Repeat("x", map[bool]int{true: 1 << 16}[strings.Contains(path, "long")]))
			if response, err = transport.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = response.Body.Close() })
		}
		t.Cleanup(func() {
			stop()
			transport.CloseIdleConnections()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
		return response
	}
	usual, one := agent.DefaultLimits(), agent.DefaultLimits()
	one.Requests = 1
	fewest := agent.DefaultLimits()
	fewest.Connections = 2

	seen := map[string]bool{}
	for _, tt := range []struct {
		path   string
		limits agent.Limits
		times  int
		status string
	}{
		{"/v1/health", usual, 1, "200"}, {"/v1/watch", usual, 1, "200"}, {"/v1/version", usual, 1, "200"},
		{"/v1/watch?interval=1ms", usual, 1, "400"},
		{"/v1/health", one, 2, "429"}, {"/v1/watch", one, 2, "429"}, {"/v1/version", one, 2, "429"},
		{"/v1/version?long", usual, 1, "431"},
		{"/v1/watch", fewest, 2, "503"},
	} {
		name := fmt.Sprintf("%s %s", tt.path, tt.status)
		path, _, _ := strings.Cut(tt.path, "?")
		response := get(tt.path, tt.limits, tt.times)
		if got := fmt.Sprint(response.StatusCode); got != tt.status {
			t.Errorf("%s: got %s", name, got)
			continue
		}
		seen[path] = true
		described := at(document, document, "paths", path, "get", "responses", tt.status)
		contentType, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
		schema := at(document, described, "content", contentType, "schema")
		if schema == nil {
			t.Errorf("%s: the description has no answer of the type %s", name, contentType)
			continue
		}
		headers, _ := described["headers"].(jsonNode)
		for header := range headers {
			if response.Header.Get(header) == "" {
				t.Errorf("%s lacks the header %s", name, header)
			}
		}
		if contentType == "text/plain" {
			continue
		}
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		var body any
		if err := json.Unmarshal([]byte(line), &body); err != nil {
			t.Fatal(err)
		}
		for _, violation := range violations(document, schema, "the body", body) {
			t.Errorf("%s: %s", name, violation)
		}
	}
	described := slices.Sorted(maps.Keys(at(document, document, "paths")))
	if requested := slices.Sorted(maps.Keys(seen)); !slices.Equal(described, requested) {
		t.Errorf("described: %q, requested: %q", described, requested)
	}
}

// TestWrongAnswerViolatesDescription shows that the comparison above finds differences.
func TestWrongAnswerViolatesDescription(t *testing.T) {
	t.Parallel()
	var document jsonNode
	if err := json.Unmarshal(schemas()["agent"](), &document); err != nil {
		t.Fatal(err)
	}
	version := at(document, document, "components", "schemas", "Version")
	for text, want := range map[string]string{
		`{"agent":"0.1.0","api":1}`:           "",
		`{"agent":"0.1.0"}`:                   "the body lacks api",
		`{"agent":1,"api":1}`:                 "the body.agent is not of the type string: 1",
		`{"agent":"0.1.0","api":1.5}`:         "the body.api is not of the type integer: 1.5",
		`{"agent":"0.1.0","api":1,"more":{}}`: "the body has more",
		`[]`:                                  "the body is not of the type object: []",
	} {
		var body any
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(violations(document, version, "the body", body), "; ")
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
