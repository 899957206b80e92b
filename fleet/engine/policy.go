package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
)

// policy is what the failures of a run mean for the hosts that are still to come. Once it has halted the run, no more are begun.
type policy struct {
	start  *fleet.Start
	ofWave fleet.Share   // how many failures each wave may have, where that is given
	halted chan struct{} // closed at the halt

	mu     sync.Mutex
	failed []string // of the whole run
	why    string   // it is halted; "" while it is not
	wave   int      // that failed, then
}

func newPolicy(start *fleet.Start) *policy {
	p := &policy{start: start, halted: make(chan struct{})}
	if start.MaxWaveFailures != "" && p.ofWave.Set(start.MaxWaveFailures) != nil {
		p.ofWave = fleet.Share{} // of a record that nobody wrote with this: the rule is the strictest there is
	}
	return p
}

// count takes a host's outcome. More failures than were allowed for halt the run at once.
func (p *policy) count(host string, o fleet.Outcome) {
	if !o.Fails() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = append(p.failed, host)
	if most := p.start.MaxFailures; most != nil && len(p.failed) > *most {
		p.stop(fmt.Sprintf("%d of at most %d failures: %s", len(p.failed), *most, strings.Join(p.failed, ", ")), p.start.WaveOf(host))
	}
	if p.ofWave.Given() {
		p.judge(p.start.WaveOf(host))
	}
}

// endWave judges a wave, all of whose hosts have an outcome or are waited for. What is allowed to fail is no failed wave; a canary
// that fails always is one.
func (p *policy) endWave(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.start.OnFailure == fleet.OnFailureContinue || p.start.MaxFailures != nil && !p.ofWave.Given() && number != fleet.CanaryWave {
		return
	}
	p.judge(number)
}

// judge stops the run where more hosts of a wave have failed than may.
func (p *policy) judge(number int) {
	var failed []string
	size := 0
	for _, h := range p.start.Hosts {
		if h.Wave != number {
			continue
		}
		size++
		if slices.Contains(p.failed, h.Name) {
			failed = append(failed, h.Name)
		}
	}
	most := p.ofWave.Of(size)
	if number == fleet.CanaryWave {
		most = 0
	}
	switch {
	case len(failed) <= most:
	case most == 0:
		p.stop(fmt.Sprintf("%s failed: %s", fleet.WaveName(number), strings.Join(failed, ", ")), number)
	default:
		p.stop(fmt.Sprintf("%s failed, by %d of at most %d failures: %s", fleet.WaveName(number), len(failed), most, strings.Join(failed, ", ")), number)
	}
}

// halt keeps the run from beginning with more hosts, since a wave has failed.
func (p *policy) halt(why string, wave int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop(why, wave)
}

func (p *policy) stop(why string, wave int) {
	if p.why == "" {
		p.why, p.wave = why, wave
		close(p.halted)
	}
}

// reason says why the run was halted; it is "" while it was not.
func (p *policy) reason() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// failedWave is the wave that the run was halted for.
func (p *policy) failedWave() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wave
}
