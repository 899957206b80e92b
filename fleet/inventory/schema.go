package inventory

import (
	"encoding/json"
	"maps"
)

// Schema is the format as JSON Schema, draft 2020-12, for editors and for other programs that write inventories.
func Schema() []byte {
	keys := format()
	hosts := object{
		"type":                 "object",
		"description":          "The hosts, by name. The name is the alias that ssh knows the host by, unless address is given.",
		"minProperties":        1,
		"propertyNames":        hostName().schema,
		"additionalProperties": tableSchema(keys, inHost, "One deploy target: a machine, or one user's home on a machine."),
	}
	schema := object{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "fleetctl inventory (hosts.toml)",
		"type":                 "object",
		"additionalProperties": false,
		"required":             []string{"hosts"},
		"properties": object{
			"fleet":    tableSchema(keys, inFleet, "What holds for the fleet as a whole."),
			"defaults": tableSchema(keys, inDefaults, "What every host begins with; a host's own keys come first."),
			"notify":   tableSchema(keys, inNotify, "Who is told of a run's end. A notification that fails is a warning, and never fails the run."),
			"hosts":    hosts,
		},
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // it is made of maps, strings and numbers
	}
	return append(text, '\n')
}

type object = map[string]any

// tableSchema describes a table with those of the keys that are known in it.
func tableSchema(keys []key, in place, about string) object {
	properties := object{}
	for _, k := range keys {
		if k.in&in == 0 {
			continue
		}
		if k.keys != nil {
			properties[k.name] = tableSchema(k.keys, in, k.about)
			continue
		}
		property := maps.Clone(k.schema)
		property["description"] = k.about
		if k.standard != nil {
			property["default"] = k.standard
		}
		properties[k.name] = property
	}
	return object{"type": "object", "description": about, "additionalProperties": false, "properties": properties}
}
