package fleet

import "time"

// Report is a finished run in one object, for programs that are notified of its end.
type Report struct {
	Run      string       `json:"run"`
	Fleet    string       `json:"fleet"`
	Goal     string       `json:"goal"`
	Revision string       `json:"revision,omitempty"`
	Operator string       `json:"operator"`
	Began    time.Time    `json:"began"`
	Hosts    []HostReport `json:"hosts"`
	Summary
}

// HostReport says how one host's part of a run ended.
type HostReport struct {
	Name string `json:"name"`
	Result
}

// Report returns a report of a run that has started. It leaves out hosts without an outcome.
func (s *State) Report() Report {
	r := Report{
		Run: s.Run, Fleet: s.Start.Fleet, Goal: s.Start.Goal, Revision: s.Start.Revision, Operator: s.Start.Operator,
		Began: s.Began, Hosts: []HostReport{}, Summary: s.Summarize(),
	}
	for _, h := range s.Hosts {
		if h.Result != nil {
			r.Hosts = append(r.Hosts, HostReport{h.Name, *h.Result})
		}
	}
	return r
}
