package host

import (
	"errors"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
)

// TestImportErrorsThatCannotBeRetried has the texts of Nix: addToStore in
// src/libstore/local-store.cc, and those of the kernel.
func TestImportErrorsThatCannotBeRetried(t *testing.T) {
	cut := errors.New("connection reset by peer")
	for text, want := range map[string]fleet.Code{
		"error: cannot add path '/nix/store/x' because it lacks a signature by a trusted key": fleet.CodeUntrusted,
		"error: cannot add path '/nix/store/x' because it lacks a valid signature":            fleet.CodeUntrusted,
		"error: writing to file: No space left on device":                                     fleet.CodeDisk,
		"error: unexpected end-of-file":                                                       "",
		"error: cannot open connection":                                                       "",
	} {
		err := importError(1, text, cut)
		refused, _ := errors.AsType[*ImportError](err)
		if (refused == nil) != (want == "") || refused != nil && refused.Code != want {
			t.Errorf("%q is %v", text, err)
		}
	}
	if err := importError(1, "error: unexpected end-of-file", cut); !errors.Is(err, cut) {
		t.Errorf("a stream that was cut is %v", err)
	}
}
