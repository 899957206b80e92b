package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
)

// policy decides whether a run continues after failures. Once it has halted the run, no more hosts
// start.
type policy struct {
	start    *fleet.Start
	planned  map[string]int // index of each host in start.Hosts
	waveSize map[int]int
	perWave  fleet.Share   // failures that each wave may have; the zero value if not given
	halted   chan struct{} // closed when the run is halted

	mu         sync.Mutex
	failed     []string         // hosts of the whole run, in the order in which they failed
	waveFailed map[int][]string // the same by wave
	why        string           // why the run is halted, or ""
	wave       int              // the wave that halted it
}

func newPolicy(start *fleet.Start) *policy {
	p := &policy{
		start: start, planned: map[string]int{}, waveSize: map[int]int{},
		halted: make(chan struct{}), waveFailed: map[int][]string{},
	}
	for i, h := range start.Hosts {
		p.planned[h.Name] = i
		p.waveSize[h.Wave]++
	}
	if start.MaxWaveFailures != "" && p.perWave.Set(start.MaxWaveFailures) != nil {
		p.perWave = fleet.Share{} // not written by this version: apply the strictest rule
	}
	return p
}

// count takes a host's outcome into account. It halts the run as soon as a limit is exceeded.
func (p *policy) count(host string, o fleet.Outcome) {
	if !o.Fails() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	wave := p.waveOf(host)
	p.failed = append(p.failed, host)
	p.waveFailed[wave] = append(p.waveFailed[wave], host)
	if limit := p.start.MaxFailures; limit != nil && len(p.failed) > *limit {
		p.haltLocked(fmt.Sprintf("%d of at most %d failures: %s", len(p.failed), *limit, someOf(p.failed)), wave)
	}
	if p.perWave.Given() {
		p.judge(wave)
	}
}

// endWave judges a wave whose hosts all have an outcome, or are waited for to come online.
func (p *policy) endWave(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.start.OnFailure == fleet.OnFailureContinue {
		return
	}
	if p.start.MaxFailures != nil && !p.perWave.Given() && number != fleet.CanaryWave {
		return
	}
	p.judge(number)
}

// judge halts the run if a wave has failed. A wave within its failure budget has not failed. A
// canary has no budget.
func (p *policy) judge(number int) {
	failed := p.waveFailed[number]
	slices.SortFunc(failed, func(a, b string) int { return p.planned[a] - p.planned[b] })
	limit := p.perWave.Of(p.waveSize[number])
	if number == fleet.CanaryWave {
		limit = 0
	}
	name := fleet.WaveName(number)
	switch {
	case len(failed) <= limit:
	case limit == 0:
		p.haltLocked(fmt.Sprintf("%s failed: %s", name, someOf(failed)), number)
	default:
		p.haltLocked(fmt.Sprintf("%s failed with %d of at most %d failures: %s", name, len(failed), limit, someOf(failed)), number)
	}
}

// waveOf returns the wave of a host, or 0 if it is not in the plan.
func (p *policy) waveOf(host string) int {
	i, ok := p.planned[host]
	if !ok {
		return 0
	}
	return p.start.Hosts[i].Wave
}

// someOf names hosts. Since the reason is repeated for every host that is skipped, it names only a
// few.
func someOf(hosts []string) string {
	const most = 10
	if len(hosts) <= most {
		return strings.Join(hosts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(hosts[:most], ", "), len(hosts)-most)
}

// halt halts the run because of a wave.
func (p *policy) halt(why string, wave int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.haltLocked(why, wave)
}

// haltLocked keeps the first reason. The caller holds mu.
func (p *policy) haltLocked(why string, wave int) {
	if p.why == "" {
		p.why, p.wave = why, wave
		close(p.halted)
	}
}

// reason returns why the run is halted, or "".
func (p *policy) reason() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// failedWave returns the number of the wave that halted the run.
func (p *policy) failedWave() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wave
}
