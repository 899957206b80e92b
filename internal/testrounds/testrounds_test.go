package testrounds

import "testing"

func TestRoundsFollowEnvironment(t *testing.T) {
	t.Setenv(Variable, "")
	if n := N(3, 100); n != 3 {
		t.Errorf("by default there are %d rounds, want 3", n)
	}
	t.Setenv(Variable, "full")
	if n := N(3, 100); n != 100 {
		t.Errorf("with full there are %d rounds, want 100", n)
	}
	t.Setenv(Variable, "ful")
	defer func() {
		if recover() == nil {
			t.Error("an invalid value does not panic")
		}
	}()
	N(3, 100)
}

func TestSomeCasesByDefaultAndAllInFull(t *testing.T) {
	cases := map[string]int{"a": 1, "b": 2, "c": 3}
	t.Setenv(Variable, "")
	if some := Some(cases, 2); len(some) != 2 {
		t.Errorf("by default: %v", some)
	}
	t.Setenv(Variable, "full")
	if some := Some(cases, 2); len(some) != 3 || some["c"] != 3 {
		t.Errorf("with full: %v", some)
	}
}
