// Package hint attaches to an error what to do about it.
//
// An error that has a method Hint() string carries a hint, and so does an error that wraps one. The
// hint is not part of the error's text: the command line prints it on a line of its own, and JSON
// has it in a field of its own.
package hint

import (
	"errors"
	"fmt"
)

// hinted is an error with a hint.
type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }
func (e *hinted) Hint() string  { return e.hint }

// Errorf formats an error as [fmt.Errorf] does and attaches a hint, which is not a format.
func Errorf(hint, format string, args ...any) error {
	return &hinted{fmt.Errorf(format, args...), hint}
}

// Wrap attaches a hint to an error. It returns err unchanged if there is no hint, and nil if err is
// nil.
func Wrap(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &hinted{err, hint}
}

// Of returns the hint of the outermost error in err's tree that has one, or "".
func Of(err error) string {
	for err != nil {
		if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != "" {
			return h.Hint()
		}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				if h := Of(e); h != "" {
					return h
				}
			}
			return ""
		}
		err = errors.Unwrap(err)
	}
	return ""
}
