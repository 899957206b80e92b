package fleet

// Summarize counts the outcomes so far and derives the exit code from them. It ignores hosts
// without an outcome.
func (s *State) Summarize() Summary {
	sum := Summary{Counts: map[Outcome]int{}, Seconds: s.Last.Sub(s.Began).Seconds()}
	var failed, unreached, interrupted bool
	for _, h := range s.Hosts {
		if h.Result == nil {
			continue
		}
		o := h.Result.Outcome
		sum.Counts[o]++
		switch {
		case o == Skipped && h.Result.Code == CodeInterrupted:
			interrupted = true
		case o == Unreachable, o == Unknown:
			unreached = true
		case !o.Good():
			failed = true
		}
	}
	switch {
	case interrupted:
		sum.ExitCode = ExitInterrupted
	case failed:
		sum.ExitCode = ExitFailed
	case unreached:
		sum.ExitCode = ExitUnreachable
	default:
		sum.ExitCode = ExitOK
	}
	return sum
}
