package cli

import (
	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// schemas are what fleetctl reads and writes, by the word they are asked for with.
func schemas() map[string]func() []byte {
	return map[string]func() []byte{"inventory": inventory.Schema, "events": fleet.EventSchema, "health": fleet.HealthSchema}
}

func newSchema(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "schema inventory|events|health",
		Short: "Print the JSON Schema of what is read and written",
		Long: `Print a JSON Schema (draft 2020-12): of the inventory, for editors that check hosts.toml as it is written, or of the
events that --output json prints, or of what a host's agent and fleetctl status tell of a host.

EXIT STATUS

0  it was printed
2  the command line is wrong`,
		Example: `  fleetctl schema inventory >hosts.schema.json
  fleetctl schema events | jq .properties`,
		ValidArgs: []cobra.Completion{"inventory", "events", "health"},
		Args:      arguments(0, 1),
		RunE:      func(_ *cobra.Command, args []string) error { return runSchema(env, args) },
	}
}

func runSchema(env *Env, args []string) error {
	const hint = "there are inventory, events and health: fleetctl schema inventory"
	if len(args) == 0 {
		return usage(hint, "which schema?")
	}
	schema, known := schemas()[args[0]]
	if !known {
		return usage(hint, "there is no schema %q", args[0])
	}
	_, err := env.Out.Write(schema())
	return err
}
