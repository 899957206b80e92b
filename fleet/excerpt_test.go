package fleet

import (
	"slices"
	"testing"
)

func TestExcerptStartsAtTheErrorThatMatters(t *testing.T) {
	tail := []string{
		"", "error (ignored): SQLite database 'eval-cache.sqlite' is busy", "building 'x.drv'",
		"error: builder for 'x.drv' failed with exit code 1;", "       last 1 log lines:",
	}
	if got := Excerpt(tail); !slices.Equal(got, tail[3:]) {
		t.Errorf("got %q, want %q", got, tail[3:])
	}
	if got := Excerpt(tail[1:3]); !slices.Equal(got, tail[1:3]) {
		t.Errorf("without another error: got %q, want %q", got, tail[1:3])
	}
}
