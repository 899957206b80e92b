package fleet

import "testing"

func TestShareIsNumberOrPercentage(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "3": 3, "10%": 2, "100%": 25, "1%": 0, "99%": 24, "101": 101} {
		var s Share
		if err := s.Set(text); err != nil || s.Of(25) != want || !s.Given() || s.String() != text {
			t.Errorf("%q of 25 is %d (%v), want %d", text, s.Of(25), err, want)
		}
	}
	for _, text := range []string{"", "%", "-1", "101%", "1.5", "99999999999", "half"} {
		var s Share
		if err := s.Set(text); err == nil || s.Given() {
			t.Errorf("%q is %v", text, s)
		}
	}
}
