package host

import (
	"testing"

	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// FuzzTestReport reads any log of the repository's tests.
func FuzzTestReport(f *testing.F) {
	f.Add("N fact test a.sh\nok\nN fact exit 0 1\nN end tested - test\n")
	f.Add("N fact exit 0 1\nx\nN fact test \x1b]0;x\x07\nN fact test b\nN fact exit -1 99999999999999999999\n")
	f.Fuzz(func(t *testing.T, log string) {
		var report testReport
		parser := remote.NewParser("N", report.add)
		_, _ = parser.Write([]byte(log))
		for _, test := range report.finished() {
			if test.Exit < -1 || test.Seconds < -1 || len(test.Output) > maxTestOutput || test.Name != clean.Line([]byte(test.Name)) {
				t.Errorf("%+v", test)
			}
		}
	})
}
