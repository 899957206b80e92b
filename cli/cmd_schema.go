package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/agent"
	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// schemas has the schemas by the names under which fleetctl schema prints them.
func schemas() map[string]func() []byte {
	return map[string]func() []byte{
		"inventory": inventory.Schema, "events": fleet.EventSchema, "health": fleet.HealthSchema,
		"agent": func() []byte { return agent.OpenAPI(fleet.HealthSchema()) },
	}
}

func newSchema(env *Env) *cobra.Command {
	names := []string{"inventory", "events", "health", "agent"}
	exactlyOne := arguments(1, 1)
	return &cobra.Command{
		Use:   "schema " + strings.Join(names, "|"),
		Short: "Print the JSON Schema of the inventory, of output, or of the agent's API",
		Long: `Print a JSON Schema (draft 2020-12): of the inventory, for editors that check hosts.toml as it is
written; of the events that --output json prints; or of a host's health as its health agent and
fleetctl status report it. The description of the agent's API has the format of OpenAPI 3.1.

EXIT STATUS

0  the schema was printed
2  the command line is invalid`,
		Example: `  fleetctl schema inventory >hosts.schema.json
  fleetctl schema events | jq .properties
  fleetctl schema agent >openapi.json`,
		ValidArgs: names,
		Args: func(c *cobra.Command, args []string) error {
			if err := exactlyOne(c, args); err != nil {
				return err
			}
			if schemas()[args[0]] == nil {
				return usage(inventory.DidYouMean(args[0], names), "invalid argument %q for %q: must be one of %s",
					args[0], c.CommandPath(), strings.Join(names, ", "))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			_, err := fmt.Fprintf(env.Out, "%s", schemas()[args[0]]())
			return err
		},
	}
}
