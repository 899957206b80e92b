package cli

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestSudoPromptsOnceForAllHosts(t *testing.T) {
	var prompts []string
	answers := []string{"wrong", "right"}
	s := newSudoPasswords(func(_ context.Context, prompt string) (string, error) {
		prompts = append(prompts, prompt)
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
		{"hsb1", false, "wrong"}, // typed for another host
		{"hsb0", true, "right"},
		{"hsb1", true, "right"}, // typed since
		{"hsb0", false, "right"},
	} {
		got, err := s.password(context.Background(), step.host, step.again)
		if err != nil || got != step.want {
			t.Errorf("%s (again: %v): got %q, %v; want %q", step.host, step.again, got, err, step.want)
		}
	}
	want := []string{"sudo password for hsb0: ", "sudo password for hsb0 (the last one was wrong): "}
	if !slices.Equal(prompts, want) {
		t.Errorf("prompts %q", prompts)
	}
}

func TestCtrlCDeclinesAllSudoPrompts(t *testing.T) {
	prompts := 0
	s := newSudoPasswords(func(context.Context, string) (string, error) {
		prompts++
		return "", errDeclined
	})
	for _, host := range []string{"hsb0", "hsb1"} {
		if _, err := s.password(context.Background(), host, false); !errors.Is(err, errDeclined) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if prompts != 1 {
		t.Errorf("prompted %d times", prompts)
	}
}
