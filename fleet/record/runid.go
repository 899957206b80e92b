package record

import (
	"crypto/rand"
	"strings"
	"time"
)

// NewRunID returns an id that sorts by time, to a thirtieth of a second or so, and is short to say: 20261124-054238-k3f9. A unique
// beginning of it names the run, and so do its last four letters.
func NewRunID(now time.Time) string {
	const digits = "234567abcdefghijklmnopqrstuvwxyz" // base 32 without the digits that look like letters, in ASCII's order
	part := digits[now.Nanosecond()/(int(time.Second)/len(digits)+1)]
	return now.Format("20060102-150405-") + string(part) + strings.ToLower(rand.Text()[:3])
}
