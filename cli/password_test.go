package cli

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestSudoPasswordIsAskedForOnceForAllHosts(t *testing.T) {
	var asked []string
	answers := []string{"wrong", "right"}
	s := newSudoPasswords(func(_ context.Context, prompt string) (string, error) {
		asked = append(asked, prompt)
		answer := answers[0]
		answers = answers[1:]
		return answer, nil
	})
	for _, step := range []struct {
		host  string
		again bool
		want  string
	}{
		{"hsb0", false, "wrong"},
		{"hsb1", false, "wrong"}, // what was typed for another host is tried first
		{"hsb0", true, "right"},
		{"hsb1", true, "right"}, // and what was typed since, before anybody is asked again
		{"hsb0", false, "right"},
	} {
		got, err := s.password(context.Background(), step.host, step.again)
		if err != nil || got != step.want {
			t.Errorf("%s (again: %v) is given %q, %v; want %q", step.host, step.again, got, err, step.want)
		}
	}
	want := []string{"sudo password for hsb0: ", "sudo password for hsb0 (the last one was wrong): "}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
}

func TestCtrlCAtOneQuestionAnswersAllOfThem(t *testing.T) {
	asked := 0
	s := newSudoPasswords(func(context.Context, string) (string, error) {
		asked++
		return "", errDeclined
	})
	for _, host := range []string{"hsb0", "hsb1"} {
		if _, err := s.password(context.Background(), host, false); !errors.Is(err, errDeclined) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
