package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sudoPrompter answers prompts in order, and keeps them.
type sudoPrompter struct {
	prompts []string
	answers []string
}

func (p *sudoPrompter) prompt(_ context.Context, text string) (string, error) {
	p.prompts = append(p.prompts, text)
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return answer, nil
}

func TestSudoPromptNamesEveryHostThatGetsThePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &sudoPrompter{answers: []string{"one", "two", "", "three"}}
		s := newSudoPasswords(p.prompt)
		// ask asks for a password for each host and returns what they got.
		ask := func(again bool, hosts ...string) string {
			got := make([]string, len(hosts))
			var asking sync.WaitGroup
			for i, host := range hosts {
				time.Sleep(10 * time.Millisecond)
				asking.Go(func() {
					password, err := s.password(t.Context(), host, again)
					got[i] = password
					if err != nil {
						t.Errorf("%s: %v", host, err)
					}
				})
			}
			asking.Wait()
			return strings.Join(got, " ")
		}
		for _, step := range []struct {
			again bool
			hosts []string
			want  string
		}{
			{false, []string{"a", "b"}, "one one"},
			{false, []string{"b"}, "one"},  // it has it already
			{true, []string{"a"}, "two"},   // b does not get this one
			{false, []string{"b"}, "one"},  //
			{false, []string{"c"}, "two"},  // with enter
			{true, []string{"b"}, "three"}, // the last one was "two", which it never got
			{false, []string{"a", "b"}, "two three"},
		} {
			if got := ask(step.again, step.hosts...); got != step.want {
				t.Errorf("%v get %q, want %q", step.hosts, got, step.want)
			}
		}
		want := []string{
			"sudo password for a, b: ",
			"sudo password for a (the last one was wrong): ",
			"sudo password for c (enter: the same as before): ",
			"sudo password for b (the last one was wrong) (enter: the same as before): ",
		}
		if !slices.Equal(p.prompts, want) {
			t.Errorf("prompts %q", p.prompts)
		}
	})
}

func TestSudoPromptEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSudoPasswords(func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		var asking sync.WaitGroup
		for _, host := range []string{"a", "b", "c"} {
			asking.Go(func() {
				if _, err := s.password(ctx, host, false); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", host, err)
				}
			})
		}
		time.Sleep(time.Second)
		cancel()
		asking.Wait()
	})
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
