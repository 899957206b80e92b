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
		Long: `Remove records of runs. The newest ones stay, as many as --keep says. Of the others those go that are past the age of
--older-than, and then the oldest, until all together take no more than --max-size. Every run does this when it begins, by the numbers that
are the defaults here. The record of a run that goes on is left alone.

EXIT STATUS

0  always, but
1  a record could not be removed
2  the command line is wrong`,
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
	f.Var((*number)(&keep.Keep), "keep", "keep this `number` of runs, whatever the others say")
	f.Var((*length)(&keep.Age), "older-than", "remove what is older than this `time`; 0 removes nothing for its age")
	f.Var((*byteSize)(&keep.Size), "max-size", "remove the oldest until all take no more than this `size`; 0 is any")
	outputFlag(cmd, &output, "record")
	return cmd
}

// byteSize is a flag for a size.
type byteSize int64

var units = []struct {
	name string
	size int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

func (b *byteSize) String() string {
	for _, u := range units {
		if n := int64(*b); n >= u.size && n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + u.name
		}
	}
	return "0"
}

func (b *byteSize) Type() string { return "size" }

func (b *byteSize) Set(s string) error {
	for _, u := range units {
		number, ok := strings.CutSuffix(s, u.name)
		if n, err := strconv.ParseUint(number, 10, 32); ok && err == nil {
			*b = byteSize(int64(n) * u.size)
			return nil
		}
	}
	return fmt.Errorf("it is a size, as in 500MiB or 1GiB")
}
