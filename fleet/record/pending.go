package record

import (
	"errors"
	"slices"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// PendingDeploy is a deploy that did not reach a host, or whose outcome there is not known.
type PendingDeploy struct {
	Host     string `json:"host"`
	Run      string `json:"run"`
	Revision string `json:"revision,omitempty"` // the commit that the host should be at
	// "" if the run was abandoned before there was one
	Outcome fleet.Outcome `json:"outcome,omitempty"`
}

// HostHistory is what the records of a fleet's runs say about its hosts.
type HostHistory struct {
	Pending  []PendingDeploy           // of each host, its last deploy counts
	LastRuns map[string]health.LastRun // by host; a run that skipped the host does not count
	Tests    map[string]health.TestRun // by host: the last results of its repository tests
}

// HostHistory reads the records of a fleet. If it could not read some records, the error has a
// [DamagedError] for each, and the history is that of the others.
func (s *Store) HostHistory(name string) (HostHistory, error) {
	tests, testsErr := s.LastTests(name)
	history := HostHistory{LastRuns: map[string]health.LastRun{}, Tests: tests}
	deployed, ran := map[string]bool{}, map[string]bool{}
	err := s.runs(name, func(rec *Record, s *fleet.State) bool {
		for _, h := range s.Hosts {
			if !ran[h.Name] && !skipped(h) {
				ran[h.Name] = true
				if last := s.LastRun(h.Name); last != nil {
					history.LastRuns[h.Name] = *last
				}
			}
			if !deploys(s) || deployed[h.Name] || passedOver(h) {
				continue
			}
			deployed[h.Name] = true
			switch {
			case h.Result == nil && rec.Owned():
			case h.Result == nil:
				history.Pending = append(history.Pending, PendingDeploy{h.Name, rec.Run, s.Start.Revision, ""})
			case slices.Contains([]fleet.Outcome{fleet.Unreachable, fleet.Unknown, fleet.Skipped}, h.Result.Outcome):
				history.Pending = append(history.Pending, PendingDeploy{h.Name, rec.Run, s.Start.Revision, h.Result.Outcome})
			}
		}
		return true
	})
	return history, errors.Join(err, testsErr)
}

// Failed returns the hosts on which the last deploy of a fleet failed, and those that it skipped
// because of that. Errors are like those of [Store.HostHistory].
func (s *Store) Failed(name string) ([]string, error) {
	var failed []string
	err := s.runs(name, func(_ *Record, s *fleet.State) bool {
		if !deploys(s) {
			return true
		}
		for _, h := range s.Hosts {
			if passedOver(h) || h.Result != nil && h.Result.Outcome.Fails() && h.Result.Outcome != fleet.Unknown {
				failed = append(failed, h.Name)
			}
		}
		return false
	})
	return failed, err
}

// deploys reports whether the run puts a configuration into effect beyond the next reboot.
func deploys(s *fleet.State) bool {
	return s.Start.Goal == fleet.GoalSwitch || s.Start.Goal == fleet.GoalBoot
}

func skipped(h *fleet.HostState) bool { return h.Result != nil && h.Result.Outcome == fleet.Skipped }

// passedOver reports whether the host was skipped because of what happened elsewhere.
func passedOver(h *fleet.HostState) bool { return skipped(h) && h.Result.Code != fleet.CodeOffline }

// runs calls each with every run of a fleet that is not part of another run, newest first, until
// each returns false. It skips damaged records and returns an error that names them.
func (s *Store) runs(name string, each func(*Record, *fleet.State) bool) error {
	all, err := s.List()
	if err != nil {
		return err
	}
	var damaged error
	for _, rec := range all {
		s, err := rec.State()
		if err != nil {
			damaged = errors.Join(damaged, err)
			continue
		}
		if s.Start == nil || s.Start.Fleet != name || s.Start.Of != "" {
			continue
		}
		if !each(rec, s) {
			break
		}
	}
	return damaged
}
