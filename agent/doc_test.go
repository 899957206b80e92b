package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/health"
)

const apiDoc = "../docs/agent-api.md"

var httpBlock = regexp.MustCompile("(?s)```http\n(.*?)\n```")

// TestSocketsAreDocumented compares docs/agent-api.md with health.Sockets. nix/tests/eval.nix
// compares the page with the modules.
func TestSocketsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(apiDoc)
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^` ]+/agent.sock)` \\|").FindAllSubmatch(text, -1) {
		documented = append(documented, string(row[1]))
	}
	sockets := health.Sockets(func(name string) string { return "$" + name }, "", 0)
	if !slices.Equal(slices.Sorted(slices.Values(documented)), slices.Sorted(slices.Values(sockets))) {
		t.Errorf("documented: %q, used: %q", documented, sockets)
	}
	defaults := health.Sockets(func(string) string { return "" }, "/home/mba", 1000)
	if want := []string{"/run/user/1000/fleetctl-agent/agent.sock", "/home/mba/.local/state/fleetctl/agent.sock"}; !slices.Equal(defaults[:2], want) {
		t.Errorf("in an empty environment: got %q, want %q", defaults[:2], want)
	}
}

// TestResponsesMatchDocumentation sends each request in docs/agent-api.md and compares status,
// headers and JSON with the documented response.
func TestResponsesMatchDocumentation(t *testing.T) {
	text, err := os.ReadFile(apiDoc)
	if err != nil {
		t.Fatal(err)
	}
	path, _ := startAgent(t, nil)
	blocks := httpBlock.FindAllSubmatch(text, -1)
	if len(blocks) == 0 || len(blocks)%2 != 0 {
		t.Fatalf("%d http blocks: want pairs of request and response", len(blocks))
	}
	for pair := range slices.Chunk(blocks, 2) {
		request := bytes.TrimSpace(pair[0][1])
		name, _, _ := strings.Cut(string(request), " HTTP")
		t.Run(name, func(t *testing.T) {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(request, "\n\n"...))))
			if err != nil {
				t.Fatal(err)
			}
			want, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(pair[1][1])), r)
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), r.Method, "http://agent"+r.RequestURI, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := newHTTPClient(t, path).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			if got.Status != want.Status {
				t.Errorf("status: got %q, documented %q", got.Status, want.Status)
			}
			for name := range want.Header {
				if got.Header.Get(name) != want.Header.Get(name) {
					t.Errorf("%s: got %q, documented %q", name, got.Header.Get(name), want.Header.Get(name))
				}
			}
			compareBodies(t, got.Body, want.Body)
		})
	}
}

// compareBodies checks that both bodies have the fields of a host's health, or that they are
// identical.
func compareBodies(t *testing.T, got, want io.Reader) {
	t.Helper()
	line, err := bufio.NewReader(got).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	wantBody, err := io.ReadAll(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(line, `{"time"`) {
		if line != string(wantBody)+"\n" {
			t.Errorf("got\n%sdocumented\n%s", line, wantBody)
		}
		return
	}
	for _, body := range []string{line, string(wantBody)} {
		strict := json.NewDecoder(strings.NewReader(body))
		strict.DisallowUnknownFields()
		var h health.Health
		if err := strict.Decode(&h); err != nil {
			t.Errorf("%v in %s", err, body)
		}
	}
	documented := documentedFields(t)
	for field := range fieldNames("", decode(t, line)) {
		if !documented[field] {
			t.Errorf("field %s is not documented", field)
		}
	}
}

// TestEveryEndpointAndStatusIsDocumented compares docs/agent-api.md with the routes and statuses of
// server.go. Each endpoint needs an example, whose response the test above compares.
func TestEveryEndpointAndStatusIsDocumented(t *testing.T) {
	text, err := os.ReadFile(apiDoc)
	if err != nil {
		t.Fatal(err)
	}
	server, err := os.ReadFile("server.go")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile(`"(/v1/[a-z]+)":`).FindAllSubmatch(server, -1)
	for _, path := range paths {
		for _, want := range []string{fmt.Sprintf("\n## `GET %s`\n", path[1]), fmt.Sprintf("```http\nGET %s", path[1])} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s lacks %q", apiDoc, want)
			}
		}
	}
	statuses := regexp.MustCompile(`http\.(Status\w+)`).FindAllSubmatch(server, -1)
	byName := map[string]int{
		"StatusBadRequest": 400, "StatusNotFound": 404, "StatusMethodNotAllowed": 405, "StatusTooManyRequests": 429, "StatusServiceUnavailable": 503,
	}
	for _, status := range statuses {
		if row := fmt.Sprintf("\n| %d | ", byName[string(status[1])]); !strings.Contains(string(text), row) {
			t.Errorf("%s has no row for %s", apiDoc, status[1])
		}
	}
	if len(paths) < 3 || len(statuses) < 5 {
		t.Errorf("found only %d paths and %d statuses in server.go: the patterns do not match them anymore", len(paths), len(statuses))
	}
}

// TestEveryFieldIsDocumented checks that every field that the agent may set is documented, and that
// every documented field exists.
func TestEveryFieldIsDocumented(t *testing.T) {
	documented := documentedFields(t)
	delete(documented, "api")
	var h health.Health
	fill(reflect.ValueOf(&h).Elem())
	h.Checkout, h.Job, h.Taken = nil, nil, nil // the agent never sets these
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	want := fieldNames("", decode(t, string(text)))
	if !maps.Equal(documented, want) {
		t.Errorf("documented:\n%v\nexisting:\n%v", slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(want)))
	}
}

// documentedFields returns the first column of the tables that describe the endpoints.
func documentedFields(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(apiDoc)
	if err != nil {
		t.Fatal(err)
	}
	endpoints, _, _ := strings.Cut(string(text), "\n## Errors")
	documented := map[string]bool{}
	for line := range strings.Lines(endpoints) {
		if cells := strings.Split(line, "|"); strings.HasPrefix(line, "| `") {
			for _, field := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(cells[1], -1) {
				documented[field[1]] = true
			}
		}
	}
	return documented
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// fieldNames returns the names of an object's fields. Fields of nested objects are paths.
func fieldNames(prefix string, object map[string]any) map[string]bool {
	names := map[string]bool{}
	for name, value := range object {
		if inner, is := value.(map[string]any); is {
			maps.Copy(names, fieldNames(prefix+name+".", inner))
		} else {
			names[prefix+name] = true
		}
	}
	return names
}

// fill sets every field of a struct to a non-zero value, so that it appears in the JSON.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(1)
	case reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	}
}
