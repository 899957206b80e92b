package fleet

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/change"
)

func TestEventsPageMatchesTypes(t *testing.T) {
	text, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[Type]bool{}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			line = strings.TrimSpace(line)
			var ev Event
			if err := json.Unmarshal([]byte(line), &ev); err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			if again, _ := json.Marshal(ev); string(again) != line {
				t.Errorf("example\n%s\nencodes as\n%s", line, again)
			}
			shown[ev.Type] = true
		}
	}
	for _, typ := range []Type{RunStarted, StepStarted, StepFinished, ProgressMade, LogLine, FactLearned, HostFinished, RunFinished} {
		if !shown[typ] {
			t.Errorf("%s has no example", typ)
		}
	}
	for _, o := range Outcomes {
		if !strings.Contains(string(text), "`"+string(o)+"`") {
			t.Errorf("outcome %s is not documented", o)
		}
	}
	for path, typ := range map[string]reflect.Type{
		"": reflect.TypeFor[Event](), "start.": reflect.TypeFor[Start](), "progress.": reflect.TypeFor[Progress](),
		"result.": reflect.TypeFor[Result](), "summary.": reflect.TypeFor[Summary](),
		"changes.": reflect.TypeFor[change.Set](),
	} {
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if !strings.Contains(string(text), "`"+path+name) {
				t.Errorf("field %s%s is not documented", path, name)
			}
		}
	}
}
