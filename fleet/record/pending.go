package record

import (
	"slices"

	"github.com/markus-barta/nixfleet/fleet"
)

// Debt is a host that its last deploy did not get to: it was away, or how it fared was never heard.
type Debt struct {
	Host     string        `json:"host"`
	Run      string        `json:"run"`
	Revision string        `json:"revision,omitempty"` // that it should be at
	Outcome  fleet.Outcome `json:"outcome,omitempty"`  // "" where the operator's side left before there was one
}

// Owed lists what is still owed to the hosts of a fleet, by the records there are: of each host, its last deploy counts.
func (r *Store) Owed(name string) ([]Debt, error) {
	var debts []Debt
	settled := map[string]bool{}
	err := r.deploys(name, func(rec *Record, s *fleet.State) bool {
		for _, h := range s.Hosts {
			if settled[h.Name] || passedOver(h) {
				continue
			}
			settled[h.Name] = true
			switch {
			case h.Result == nil && rec.Owned():
			case h.Result == nil:
				debts = append(debts, Debt{h.Name, rec.Run, s.Start.Revision, ""})
			case h.Result.Outcome == fleet.Unreachable, h.Result.Outcome == fleet.Unknown, h.Result.Outcome == fleet.Skipped:
				debts = append(debts, Debt{h.Name, rec.Run, s.Start.Revision, h.Result.Outcome})
			}
		}
		return true
	})
	return debts, err
}

// Failed lists the hosts that the last deploy of a fleet failed on, and those that were not begun because of that.
func (r *Store) Failed(name string) ([]string, error) {
	var failed []string
	err := r.deploys(name, func(_ *Record, s *fleet.State) bool {
		for _, h := range s.Hosts {
			if passedOver(h) || h.Result != nil && h.Result.Outcome.Fails() && h.Result.Outcome != fleet.Unknown {
				failed = append(failed, h.Name)
			}
		}
		return false
	})
	return failed, err
}

// passedOver reports whether the host was left out for what happened elsewhere.
func passedOver(h *fleet.HostState) bool {
	return h.Result != nil && h.Result.Outcome == fleet.Skipped && h.Result.Code != fleet.CodeOffline
}

// deploys gives each deploy of a fleet that is no part of another run, the newest first, for as long as it returns true.
func (r *Store) deploys(name string, each func(*Record, *fleet.State) bool) error {
	all, err := r.List()
	if err != nil {
		return err
	}
	for _, rec := range all {
		s, err := rec.State()
		if err != nil {
			return err
		}
		if s.Start == nil || s.Start.Fleet != name || s.Start.Of != "" || !slices.Contains([]string{fleet.GoalSwitch, fleet.GoalBoot}, s.Start.Goal) {
			continue
		}
		if !each(rec, s) {
			return nil
		}
	}
	return nil
}
