package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// parallelFlag declares --parallel.
func parallelFlag(f *pflag.FlagSet, n *int) {
	f.Var((*number)(n), "parallel", "hosts at once; the inventory's `number` by default")
}

// number is a flag for how many.
type number int

func (n *number) String() string { return strconv.Itoa(int(*n)) }
func (n *number) Type() string   { return "number" }

func (n *number) Set(s string) error {
	value, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return errors.New("it is a number, as in 4")
	}
	*n = number(value)
	return nil
}

// length is a flag for a length of time, which may be in days.
type length time.Duration

func (l *length) String() string {
	switch d := time.Duration(*l); {
	case d == 0:
		return "0"
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	default:
		return inventory.FormatDuration(d)
	}
}

func (l *length) Type() string { return "time" }

func (l *length) Set(s string) error {
	bad := errors.New("it is a length of time, as in 90s, 10m, 36h or 90d")
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 15)
		if err != nil {
			return bad
		}
		*l = length(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return bad
	}
	*l = length(d)
	return nil
}

// limit is a length of time in which something has to happen, and so some time.
type limit time.Duration

func (l *limit) String() string { return (*length)(l).String() }
func (l *limit) Type() string   { return "time" }

func (l *limit) Set(s string) error {
	var some length
	if err := some.Set(s); err != nil {
		return err
	}
	if some == 0 {
		return errors.New("nothing happens in no time")
	}
	*l = limit(some)
	return nil
}

// rev is a flag for a revision. An empty one is a variable that is not set, and not the branch's tip.
type rev string

func (r *rev) String() string { return string(*r) }
func (r *rev) Type() string   { return "revision" }

func (r *rev) Set(s string) error {
	if s == "" {
		return errors.New("it is a commit, a branch or a tag")
	}
	*r = rev(s)
	return nil
}
