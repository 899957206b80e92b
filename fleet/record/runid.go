package record

import (
	"crypto/rand"
	"strings"
	"time"
)

// newRunID returns an ID such as 20261124-054238-k3f9. IDs sort by time, with a resolution of 1/32
// second. [Store.Open] accepts a unique prefix of an ID, or its last four letters.
func newRunID(now time.Time) string {
	// Base 32 in ASCII order, without the digits that look like letters.
	const digits = "234567abcdefghijklmnopqrstuvwxyz"
	part := digits[now.Nanosecond()/(int(time.Second)/len(digits)+1)]
	return now.Format("20060102-150405-") + string(part) + strings.ToLower(rand.Text()[:3])
}
