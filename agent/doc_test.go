package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
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

// The sockets that docs/agent-api.md has are those that are looked at. nix/tests/eval.nix has the modules agree with the page, too.
func TestTheDocumentedSocketsAreLookedAt(t *testing.T) {
	text, err := os.ReadFile(apiDoc)
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^` ]+/agent.sock)` \\|").FindAllSubmatch(text, -1) {
		documented = append(documented, string(row[1]))
	}
	lookedAt := health.Sockets(func(name string) string { return "$" + name }, "", 0)
	if !slices.Equal(slices.Sorted(slices.Values(documented)), slices.Sorted(slices.Values(lookedAt))) {
		t.Errorf("documented are %q, looked at %q", documented, lookedAt)
	}
	bare := health.Sockets(func(string) string { return "" }, "/home/mba", 1000)
	if want := []string{"/run/user/1000/fleetctl-agent/agent.sock", "/home/mba/.local/state/fleetctl/agent.sock"}; !slices.Equal(bare[:2], want) {
		t.Errorf("with a bare environment %q are looked at, not %q", bare[:2], want)
	}
}

// Each request of docs/agent-api.md is made, and is answered as is said there: the status, the headers, and the JSON.
func TestTheAgentAnswersAsItsDocumentationSays(t *testing.T) {
	text, err := os.ReadFile(apiDoc)
	if err != nil {
		t.Fatal(err)
	}
	path, _ := anAgent(t, nil)
	blocks := httpBlock.FindAllSubmatch(text, -1)
	if len(blocks) == 0 || len(blocks)%2 != 0 {
		t.Fatalf("%d blocks of http: they come in pairs, request and response", len(blocks))
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
			again, err := http.NewRequestWithContext(t.Context(), r.Method, "http://agent"+r.RequestURI, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := web(t, path).Do(again)
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			if got.Status != want.Status {
				t.Errorf("the status is %q, documented is %q", got.Status, want.Status)
			}
			for name := range want.Header {
				if got.Header.Get(name) != want.Header.Get(name) {
					t.Errorf("%s is %q, documented is %q", name, got.Header.Get(name), want.Header.Get(name))
				}
			}
			sameKind(t, got.Body, want.Body)
		})
	}
}

// sameKind asserts that two bodies are of one kind: figures of a host, or else the same to the letter.
func sameKind(t *testing.T, got, want io.Reader) {
	t.Helper()
	line, err := bufio.NewReader(got).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	documented, err := io.ReadAll(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(line, `{"time"`) {
		if line != string(documented)+"\n" {
			t.Errorf("it answers\n%sdocumented is\n%s", line, documented)
		}
		return
	}
	for _, body := range []string{line, string(documented)} {
		strict := json.NewDecoder(strings.NewReader(body))
		strict.DisallowUnknownFields()
		var h health.Health
		if err := strict.Decode(&h); err != nil {
			t.Errorf("%v in %s", err, body)
		}
	}
	known := documentedFields(t)
	for field := range fields("", decode(t, line)) {
		if !known[field] {
			t.Errorf("the agent says %s, which is not documented", field)
		}
	}
}

// Every field of the schema that the agent may fill in has its line, and no line is of a field that is not there.
func TestEveryFieldIsDocumented(t *testing.T) {
	known := documentedFields(t)
	delete(known, "api")
	var h health.Health
	fill(reflect.ValueOf(&h).Elem())
	h.Checkout, h.Job, h.Taken = nil, nil, nil // never the agent's
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	want := fields("", decode(t, string(text)))
	if !maps.Equal(known, want) {
		t.Errorf("documented are\n%v\nthere are\n%v", slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(want)))
	}
}

// documentedFields are those in the first column of the tables under the endpoints.
func documentedFields(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(apiDoc)
	if err != nil {
		t.Fatal(err)
	}
	endpoints, _, _ := strings.Cut(string(text), "\n## Errors")
	known := map[string]bool{}
	for line := range strings.Lines(endpoints) {
		if cells := strings.Split(line, "|"); strings.HasPrefix(line, "| `") {
			for _, field := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(cells[1], -1) {
				known[field[1]] = true
			}
		}
	}
	return known
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// fields are the names of an object's fields, those of objects in it by their path.
func fields(prefix string, object map[string]any) map[string]bool {
	names := map[string]bool{}
	for name, value := range object {
		if inner, is := value.(map[string]any); is {
			maps.Copy(names, fields(prefix+name+".", inner))
		} else {
			names[prefix+name] = true
		}
	}
	return names
}

// fill makes every field of a struct differ from its zero, so that it is in the JSON.
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
