package health

import (
	"reflect"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// sanitize cleans every string in h and limits its figures, since whatever comes from a host is
// untrusted.
func sanitize(h *Health) {
	sanitizeValue(reflect.ValueOf(h).Elem())
	Clamp(h)
}

func sanitizeValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(sanitizeString(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			sanitizeValue(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			sanitizeValue(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				sanitizeValue(v.Field(i))
			}
		}
	}
}

func sanitizeString(s string) string { return clean.Line([]byte(s)) }
