package change

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// FuzzParser reads lines of a host, as facts and as the output of an activation. What is kept must
// be bounded and clean.
func FuzzParser(f *testing.F) {
	f.Add([]byte("closure 1 2\ndifference a: 1 → 2, +1.0 KiB\nonly before b-1.0\nmore 3\ncompared"))
	f.Add([]byte("stopping the following units: a.service, b@c.service\nStarting units: d\ncreating user service e\nincomparable slow"))
	f.Add([]byte("difference : → \nonly after -\nclosure -1 x\nmore 99999999999999999999\nthe following new units were started: \x1b[2J,,"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p Parser
		for _, line := range strings.Split(string(text), "\n") {
			line = clean.Line([]byte(line))
			key, value, _ := strings.Cut(line, " ")
			p.Fact(key, value)
			p.Output(line)
		}
		s := p.Set()
		if s == nil {
			return
		}
		s.Shorten(MaxPackages)
		encoded, err := json.Marshal(s)
		if err != nil || len(encoded) > MaxPackages*(3*MaxText+200)+MaxUnits*300+1000 {
			t.Fatalf("%d bytes, %v", len(encoded), err)
		}
		for _, line := range append(s.Lines(MaxPackages, false), s.Summary()) {
			if line != clean.Line([]byte(line)) {
				t.Errorf("%q is not clean", line)
			}
		}
	})
}
