package fleet

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// EventSchema returns the JSON Schema of an [Event].
func EventSchema() []byte {
	return schema(reflect.TypeFor[Event](), "fleetctl event",
		"One fact about a run: a line of --output json, and of a run's events.jsonl. Later versions may add fields and event types.")
}

// HealthSchema returns the JSON Schema of a [health.Health].
func HealthSchema() []byte {
	return schema(reflect.TypeFor[health.Health](), "fleetctl health",
		"The health of one host at one moment: the response of a host's agent to GET /v1/health, "+
			"and \"health\" in a line of fleetctl status --output json. "+
			"Values that could not be determined are left out. Later versions may add fields.")
}

// schema returns the JSON Schema, draft 2020-12, of a type. It is derived from the type, so the two
// cannot drift apart.
func schema(t reflect.Type, title, description string) []byte {
	s := schemaOf(t)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"], s["description"] = title, description
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // impossible: s consists of maps and strings
	}
	return append(text, '\n')
}

// schemaOf returns the schema of a type. Fields marked omitempty are not required.
func schemaOf(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[Type]():
		return oneOf(RunStarted, StepStarted, StepFinished, ProgressMade, LogLine, FactLearned, HostFinished, RunFinished)
	case reflect.TypeFor[Step]():
		return oneOf(steps...)
	case reflect.TypeFor[Outcome]():
		return oneOf(Outcomes...)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Array:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return map[string]any{"type": "object", "propertyNames": schemaOf(t.Key()), "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		return schemaOfStruct(t)
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	}
	return map[string]any{"type": "string"}
}

func schemaOfStruct(t reflect.Type) map[string]any {
	properties := make(map[string]any)
	required := []string{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		properties[name] = schemaOf(t.Field(i).Type)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

func oneOf[T ~string](values ...T) map[string]any {
	return map[string]any{"enum": values}
}
