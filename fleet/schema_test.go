package fleet

import (
	"encoding/json"
	"testing"
	"time"
)

func TestEventSchemaDescribesEvents(t *testing.T) {
	ok := true
	event, err := json.Marshal(Event{
		Time: time.Unix(1, 0), Run: "r", Seq: 1, Type: HostFinished, Host: "a",
		Step: Pull, OK: &ok, Line: "l", Stream: "out", Key: "k", Value: "v",
		Start: &Start{
			Fleet: "f", Goal: "switch", Revision: "r", Operator: "o",
			Hosts: []PlannedHost{{Name: "a", Kind: "nixos", Wave: 1}},
		},
		Progress: &Progress{Builds: 1, Bytes: 1, BytesExpected: 1, Building: "b", Phase: "p"},
		Result: &Result{
			Outcome: Failed, Step: Pull, Code: "dirty", Reason: "r", Hint: "h",
			Before: "b", After: "a", Generation: 1,
		},
		Summary: &Summary{Counts: map[Outcome]int{Failed: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(EventSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	var printed any
	if err := json.Unmarshal(event, &printed); err != nil {
		t.Fatal(err)
	}
	checkSchema(t, "event", schema, printed)
}

// checkSchema fails the test unless schema describes value: all its fields, with their types.
func checkSchema(t *testing.T, path string, schema map[string]any, value any) {
	t.Helper()
	if words, is := schema["enum"].([]any); is {
		for _, w := range words {
			if w == value {
				return
			}
		}
		t.Errorf("%s: got %v, want one of %v", path, value, words)
		return
	}
	kinds := map[string]bool{}
	switch value := value.(type) {
	case string:
		kinds["string"] = true
	case bool:
		kinds["boolean"] = true
	case float64:
		kinds["integer"], kinds["number"] = true, true
	case []any:
		kinds["array"] = true
		for _, item := range value {
			checkSchema(t, path+"[]", schema["items"].(map[string]any), item)
		}
	case map[string]any:
		kinds["object"] = true
		properties, _ := schema["properties"].(map[string]any)
		for name, field := range value {
			property, known := properties[name].(map[string]any)
			if !known {
				property, known = schema["additionalProperties"].(map[string]any)
			}
			if !known {
				t.Errorf("%s.%s is not in the schema", path, name)
				continue
			}
			checkSchema(t, path+"."+name, property, field)
		}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, there := value[name.(string)]; !there {
				t.Errorf("%s: required property %v is missing", path, name)
			}
		}
	}
	if !kinds[schema["type"].(string)] {
		t.Errorf("%s: %v is not of type %v", path, value, schema["type"])
	}
}
