package inventory

import (
	"encoding/json"
	"maps"
)

// Schema returns a JSON Schema (draft 2020-12) of hosts.toml, for editors and for programs that
// write inventories.
func Schema() []byte {
	keys := allKeys()
	hosts := object{
		"type":                 "object",
		"description":          "The hosts, by name. The name is the host's ssh alias, unless address is set.",
		"minProperties":        1,
		"propertyNames":        hostNameType().schema,
		"additionalProperties": tableSchema(keys, inHost, "One deploy target: a machine, or one user's home on a machine."),
	}
	schema := object{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "fleetctl inventory (hosts.toml)",
		"type":                 "object",
		"additionalProperties": false,
		"required":             []string{"hosts"},
		"properties": object{
			"fleet":    tableSchema(keys, inFleet, "Settings of the fleet as a whole."),
			"defaults": tableSchema(keys, inDefaults, "Defaults for all hosts. Keys of a host take precedence."),
			"notify":   tableSchema(keys, inNotify, "Who is notified at the end of a run. A notification that fails causes a warning and never fails the run."),
			"hosts":    hosts,
		},
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // impossible: the schema consists of maps, strings and numbers
	}
	return append(text, '\n')
}

type object = map[string]any

// tableSchema describes a table with those of the keys that are valid in it.
func tableSchema(keys []key, in tableSet, description string) object {
	properties := object{}
	for _, k := range keys {
		if k.tables&in == 0 {
			continue
		}
		if k.subkeys != nil {
			properties[k.name] = tableSchema(k.subkeys, in, k.description)
			continue
		}
		property := maps.Clone(k.schema)
		property["description"] = k.description
		if k.defaultValue != nil {
			property["default"] = k.defaultValue
		}
		properties[k.name] = property
	}
	return object{"type": "object", "description": description, "additionalProperties": false, "properties": properties}
}
