package remote

import (
	"slices"
	"testing"
	"time"
)

func TestParseGenerations(t *testing.T) {
	got := ParseGenerations([]byte(`213 1795503408 2222222222222222222222222222222222222222 current
212 - 1111111111111111111111111111111111111111 booted
211 1795500000 -
an unknown line
0 1 -
`))
	want := []Generation{
		{213, time.Unix(1795503408, 0).UTC(), "2222222222222222222222222222222222222222", true, false},
		{212, time.Time{}, "1111111111111111111111111111111111111111", false, true},
		{211, time.Unix(1795500000, 0).UTC(), "", false, false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
