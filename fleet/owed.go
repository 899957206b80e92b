package fleet

import (
	"slices"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// PendingDeploy is a deploy that did not reach a host, or whose outcome there is not known.
type PendingDeploy struct {
	Host     string  `json:"host"`
	Run      string  `json:"run"`
	Revision string  `json:"revision,omitempty"` // the commit that the host should be at
	Outcome  Outcome `json:"outcome,omitempty"`  // "" if the run was abandoned before there was one
}

// HostHistory is what the records of a fleet's runs say about its hosts.
type HostHistory struct {
	Pending  []PendingDeploy           // of each host, its last deploy counts
	LastRuns map[string]health.LastRun // by host; a run that skipped the host does not count
}

// HostHistory reads the records of a fleet.
func (r *Records) HostHistory(fleet string) (HostHistory, error) {
	history := HostHistory{LastRuns: map[string]health.LastRun{}}
	deployed, ran := map[string]bool{}, map[string]bool{}
	err := r.runs(fleet, func(record *Record, s *State) bool {
		for _, h := range s.Hosts {
			if !ran[h.Name] && !h.skipped() {
				ran[h.Name] = true
				if last := s.LastRun(h.Name); last != nil {
					history.LastRuns[h.Name] = *last
				}
			}
			if !s.deploys() || deployed[h.Name] || h.passedOver() {
				continue
			}
			deployed[h.Name] = true
			switch {
			case h.Result == nil && record.Living():
			case h.Result == nil:
				history.Pending = append(history.Pending, PendingDeploy{h.Name, record.Run, s.Start.Revision, ""})
			case slices.Contains([]Outcome{Unreachable, Unknown, Skipped}, h.Result.Outcome):
				history.Pending = append(history.Pending, PendingDeploy{h.Name, record.Run, s.Start.Revision, h.Result.Outcome})
			}
		}
		return true
	})
	return history, err
}

// Failed returns the hosts on which the last deploy of a fleet failed, and those that it skipped because of that.
func (r *Records) Failed(fleet string) ([]string, error) {
	var failed []string
	err := r.runs(fleet, func(_ *Record, s *State) bool {
		if !s.deploys() {
			return true
		}
		for _, h := range s.Hosts {
			if h.passedOver() || h.Result != nil && h.Result.Outcome.fails() && h.Result.Outcome != Unknown {
				failed = append(failed, h.Name)
			}
		}
		return false
	})
	return failed, err
}

// deploys reports whether the run puts a configuration into effect beyond the next reboot.
func (s *State) deploys() bool { return s.Start.Goal == GoalSwitch || s.Start.Goal == GoalBoot }

func (h *HostState) skipped() bool { return h.Result != nil && h.Result.Outcome == Skipped }

// passedOver reports whether the host was skipped because of what happened elsewhere.
func (h *HostState) passedOver() bool { return h.skipped() && h.Result.Code != codeOffline }

// runs calls each with every run of a fleet that is not part of another run, newest first, until each returns false.
func (r *Records) runs(fleet string, each func(*Record, *State) bool) error {
	all, err := r.List()
	if err != nil {
		return err
	}
	for _, record := range all {
		s, err := record.State()
		if err != nil {
			return err
		}
		if s.Start == nil || s.Start.Fleet != fleet || s.Start.Of != "" {
			continue
		}
		if !each(record, s) {
			return nil
		}
	}
	return nil
}
