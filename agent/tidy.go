package agent

import (
	"reflect"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// tidy cleans what an agent has said, every string of it: whatever comes from a host is hostile until then.
func tidy(h *health.Health) { tidyValue(reflect.ValueOf(h).Elem()) }

func tidyValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(word(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			tidyValue(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			tidyValue(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				tidyValue(v.Field(i))
			}
		}
	}
}

func word(s string) string { return clean.Line([]byte(s)) }
