package fleet

import "slices"

// Debt is a host that its last deploy did not get to: it was away, or how it fared was never heard.
type Debt struct {
	Host     string  `json:"host"`
	Run      string  `json:"run"`
	Revision string  `json:"revision,omitempty"` // that it should be at
	Outcome  Outcome `json:"outcome,omitempty"`  // "" where the operator's side left before there was one
}

// Owed lists what is still owed to the hosts of a fleet, by the records there are: of each host, its last deploy counts.
func (r *Records) Owed(fleet string) ([]Debt, error) {
	var debts []Debt
	settled := map[string]bool{}
	err := r.deploys(fleet, func(record *Record, s *State) bool {
		for _, h := range s.Hosts {
			if settled[h.Name] || h.passedOver() {
				continue
			}
			settled[h.Name] = true
			switch {
			case h.Result == nil && record.Living():
			case h.Result == nil:
				debts = append(debts, Debt{h.Name, record.Run, s.Start.Revision, ""})
			case h.Result.Outcome == Unreachable, h.Result.Outcome == Unknown, h.Result.Outcome == Skipped:
				debts = append(debts, Debt{h.Name, record.Run, s.Start.Revision, h.Result.Outcome})
			}
		}
		return true
	})
	return debts, err
}

// Failed lists the hosts that the last deploy of a fleet failed on, and those that were not begun because of that.
func (r *Records) Failed(fleet string) ([]string, error) {
	var failed []string
	err := r.deploys(fleet, func(_ *Record, s *State) bool {
		for _, h := range s.Hosts {
			if h.passedOver() || h.Result != nil && h.Result.Outcome.fails() && h.Result.Outcome != Unknown {
				failed = append(failed, h.Name)
			}
		}
		return false
	})
	return failed, err
}

// passedOver reports whether the host was left out for what happened elsewhere.
func (h *HostState) passedOver() bool {
	return h.Result != nil && h.Result.Outcome == Skipped && h.Result.Code != codeOffline
}

// deploys gives each deploy of a fleet that is no part of another run, the newest first, for as long as it returns true.
func (r *Records) deploys(fleet string, each func(*Record, *State) bool) error {
	all, err := r.List()
	if err != nil {
		return err
	}
	for _, record := range all {
		s, err := record.State()
		if err != nil {
			return err
		}
		if s.Start == nil || s.Start.Fleet != fleet || s.Start.Of != "" || !slices.Contains([]string{GoalSwitch, GoalBoot}, s.Start.Goal) {
			continue
		}
		if !each(record, s) {
			return nil
		}
	}
	return nil
}
