package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet/record"
)

func newHistoryPrune(env *Env) *cobra.Command {
	keep := record.DefaultRetention
	output := ""
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove old records",
		Long: `Remove records of old runs. The newest ones, as many as --keep says, always stay. Of the others, those past the age
--older-than are removed, and then the oldest ones until the rest take up no more than --max-size. Every run does this when it starts, with the
defaults shown here. The record of a run in progress is never removed.

EXIT STATUS

0  the records were removed
1  a record could not be removed
2  the command line is invalid`,
		Example: `  fleetctl history prune
  fleetctl history prune --keep 10 --older-than 30d`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			removed, err := env.records().Prune(keep, env.Now())
			if output == outputJSON {
				lines := json.NewEncoder(env.Out)
				for _, run := range removed {
					lines.Encode(map[string]string{"run": run})
				}
				return err
			}
			fmt.Fprintf(env.Out, "%s removed\n", count(len(removed), "record"))
			return err
		},
	}
	f := cmd.Flags()
	f.Var((*countFlag)(&keep.Keep), "keep", "keep at least this many runs, regardless of the other limits")
	f.Var((*durationFlag)(&keep.Age), "older-than", "delete records older than this; 0 means no age limit")
	f.Var((*byteSize)(&keep.Size), "max-size", "delete the oldest records until all together take at most this; 0 means no limit")
	outputFlag(cmd.Flags(), &output, "record")
	return cmd
}

// byteSize is a flag value: a size such as 500MiB.
type byteSize int64

var byteUnits = []struct {
	name string
	size int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

func (b *byteSize) String() string {
	for _, u := range byteUnits {
		if n := int64(*b); n >= u.size && n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + u.name
		}
	}
	return "0"
}

func (b *byteSize) Type() string { return "SIZE" }

func (b *byteSize) Set(s string) error {
	for _, u := range byteUnits {
		number, ok := strings.CutSuffix(s, u.name)
		if n, err := strconv.ParseUint(number, 10, 32); ok && err == nil {
			*b = byteSize(int64(n) * u.size)
			return nil
		}
	}
	return fmt.Errorf("must be a size, as in 500MiB or 1GiB")
}
