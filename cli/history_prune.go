package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
)

func newHistoryPrune(env *Env) *cobra.Command {
	keep := fleet.DefaultRetention
	output := ""
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove old records",
		Long: `Remove records of runs. The newest ones stay, as many as --keep says; of the others those go that are older than --older-than,
and then the oldest, until all together take no more than --max-size. Every run does this when it begins, by the numbers that
are the defaults here. The record of a run that goes on is left alone.

EXIT STATUS

0  always, but
1  a record could not be removed
2  the command line is wrong`,
		Example: `  fleetctl history prune
  fleetctl history prune --keep 10 --older-than 30d`,
		Args: cobra.NoArgs,
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
	f.IntVar(&keep.Keep, "keep", keep.Keep, "keep this `number` of runs, whatever the others say")
	f.Var((*dayTime)(&keep.Age), "older-than", "remove what is older than this `time`; 0 removes nothing for its age")
	f.Var((*byteSize)(&keep.Size), "max-size", "remove the oldest until all take no more than this `size`; 0 is any")
	outputFlag(cmd, &output)
	return cmd
}

// dayTime is a flag for a length of time that may be in days.
type dayTime time.Duration

func (d *dayTime) String() string {
	if whole := time.Duration(*d); whole%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", whole/(24*time.Hour))
	}
	return time.Duration(*d).String()
}

func (d *dayTime) Type() string { return "time" }

func (d *dayTime) Set(s string) error {
	if number, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 15)
		if err != nil {
			return fmt.Errorf("%q is no number of days", number)
		}
		*d = dayTime(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	length, err := time.ParseDuration(s)
	if err != nil || length < 0 {
		return fmt.Errorf("it is a length of time, as in 90d or 36h")
	}
	*d = dayTime(length)
	return nil
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
