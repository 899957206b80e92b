package record

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// FuzzEvents reads any file of events. Readers of the record get an error or a state that they can
// use.
func FuzzEvents(f *testing.F) {
	s := &Store{Dir: f.TempDir()}
	record, journal, err := s.Create(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { journal.Close() })
	f.Add([]byte(`{"type":"run_started","start":{"fleet":"f","goal":"switch","hosts":[{"name":"a","wave":1}]}}` + "\n" +
		`{"type":"step_finished","host":"a","step":"activate"}` + "\n" + `{"type":"host_finished","host":"a"}` + "\n"))
	f.Add([]byte(`{"type":"run_started"}` + "\n" + `{"type":"progress","host":"a"}` + "\n" + `{"type":"run_finished"}` + "\n"))
	f.Add([]byte(`{"type":"fact","key":"revision","value":"x"}` + "\n{}\nnull\n[]\n"))
	f.Fuzz(func(t *testing.T, events []byte) {
		if err := os.WriteFile(record.EventsPath(), events, 0o600); err != nil {
			t.Fatal(err)
		}
		state, _ := record.State()
		_ = state.Summarize()
		_, _ = s.HostHistory("f")
		_, _ = s.Latest()
		if _, err := json.Marshal(state.Summarize()); err != nil {
			t.Error(err)
		}
		for _, h := range state.Hosts {
			_ = h.Settled()
			_ = h.PreviousGeneration()
		}
	})
}
