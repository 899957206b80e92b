package agent

import (
	"sync"
	"time"
)

// bucket lets so many requests a second through, and as many at once.
type bucket struct {
	mu     sync.Mutex
	rate   float64
	tokens float64
	at     time.Time
}

func newBucket(rate int) *bucket { return &bucket{rate: float64(rate), tokens: float64(rate)} }

// take tells whether one more may pass at that time.
func (b *bucket) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.at.IsZero() {
		b.tokens = min(b.rate, b.tokens+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
