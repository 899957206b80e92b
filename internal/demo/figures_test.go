package demo

import (
	"fmt"
	"testing"
	"time"
)

// TestFiguresOfHostsDifferAndMove reads the figures of all sample hosts at two times.
func TestFiguresOfHostsDifferAndMove(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, h := range SampleHosts(9) {
		f := newFigures(h.Name)
		var before [2]uint64
		for at := time.Duration(0); at < 10*time.Minute; at += 7 * time.Second {
			files := f.files(at)
			var now [2]uint64
			if _, err := fmt.Sscanf(files["proc/stat"], "cpu %d 0 0 %d", &now[0], &now[1]); err != nil {
				t.Fatal(err)
			}
			if now[0] < before[0] || now[1] < before[1] || now == before {
				t.Errorf("%s: the processor's time went from %v to %v", h.Name, before, now)
			}
			before = now
			var total, free uint64
			if _, err := fmt.Sscanf(files["proc/meminfo"], "MemTotal: %d kB\nMemAvailable: %d kB", &total, &free); err != nil || free == 0 || free >= total {
				t.Errorf("%s: %d of %d KiB are free (%v)", h.Name, free, total, err)
			}
		}
		if other := seen[f.files(0)["proc/loadavg"]]; other != "" {
			t.Errorf("%s and %s have the same load", h.Name, other)
		}
		seen[f.files(0)["proc/loadavg"]] = h.Name
		if h.Generation < 12 {
			t.Errorf("%s starts with generation %d", h.Name, h.Generation)
		}
	}
}
