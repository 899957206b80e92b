package agent

import (
	_ "embed"
	"encoding/json"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the description of the API in the format of OpenAPI 3.1. The JSON Schema of
// health.Health becomes a part of it.
func OpenAPI(healthSchema []byte) []byte {
	var description, schema map[string]any
	for text, into := range map[*[]byte]*map[string]any{&openAPI: &description, &healthSchema: &schema} {
		if err := json.Unmarshal(*text, into); err != nil {
			panic(err) // impossible: both are part of the program
		}
	}
	delete(schema, "$schema") // OpenAPI 3.1 has the same dialect
	description["components"].(map[string]any)["schemas"].(map[string]any)["Health"] = schema
	text, err := json.MarshalIndent(description, "", "  ")
	if err != nil {
		panic(err) // impossible: it was JSON before
	}
	return append(text, '\n')
}
