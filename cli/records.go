package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// records returns the records of past runs, in $XDG_STATE_HOME. A relative $XDG_STATE_HOME is
// ignored, as the XDG specification requires.
func (env *Env) records() *record.Store {
	state := env.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		state = filepath.Join(env.Home, ".local", "state")
	}
	return &record.Store{Dir: filepath.Join(state, "fleetctl", "runs")}
}

// record returns the record of the run named by the first argument: its ID, a unique part of it, or
// "last". Without arguments it returns the last run's.
func (env *Env) record(args []string) (*record.Record, error) {
	var rec *record.Record
	var err error
	if len(args) == 0 || args[0] == "last" {
		rec, err = env.records().Latest()
	} else {
		rec, err = env.records().Open(args[0])
	}
	if err != nil {
		return nil, exit(fleet.ExitUsage, err)
	}
	return rec, nil
}

// warnOfDamage prints the damaged records that an error names, and returns nil. Other errors are
// returned.
func (env *Env) warnOfDamage(err error) error {
	if _, ok := errors.AsType[*record.DamagedError](err); !ok {
		return err
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(env.Err, "fleetctl: warning: %s\n", strings.TrimSuffix(line, "\n"))
	}
	return nil
}
