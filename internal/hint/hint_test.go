package hint_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/markus-barta/nixfleet/internal/hint"
)

var errBase = errors.New("no such file")

func TestOfFindsTheOutermostHint(t *testing.T) {
	inner := hint.Wrap(errBase, "create it")
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"no error", nil, ""},
		{"no hint", errBase, ""},
		{"a hint", inner, "create it"},
		{"wrapped", fmt.Errorf("config: %w", inner), "create it"},
		{"an outer hint", hint.Wrap(inner, "name another"), "name another"},
		{"an empty outer hint", hint.Errorf("", "config: %w", inner), "create it"},
		{"joined", errors.Join(errBase, inner), "create it"},
	} {
		if got := hint.Of(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAHintDoesNotChangeTheError(t *testing.T) {
	err := hint.Errorf("100%s", "config %q: %w", "a", errBase)
	if got := err.Error(); got != `config "a": no such file` {
		t.Errorf("got %q", got)
	}
	if !errors.Is(err, errBase) {
		t.Error("the wrapped error is lost")
	}
	if got := hint.Of(err); got != "100%s" {
		t.Errorf("the hint is %q", got)
	}
	if hint.Wrap(nil, "create it") != nil {
		t.Error("no error became one")
	}
	if err := hint.Wrap(errBase, ""); err != errBase {
		t.Errorf("without a hint, got %#v", err)
	}
}
