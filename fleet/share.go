package fleet

import (
	"errors"
	"strconv"
	"strings"
)

// Share is a number of hosts or a percentage of them. The zero Share means that none was given. A
// *Share is a flag value.
type Share struct {
	number int
	text   string // as given, or ""
}

// Set parses a number of hosts, as "3", or a percentage, as "10%".
func (s *Share) Set(text string) error {
	digits, percent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || percent && n > 100 {
		return errors.New("must be a number of hosts or a percentage of them, as in 3 or 10%")
	}
	*s = Share{int(n), text}
	return nil
}

func (s *Share) String() string { return s.text }

func (s *Share) Type() string { return "N|N%" }

// Given reports whether a share was given. A share of 0 hosts counts as given.
func (s *Share) Given() bool { return s.text != "" }

// Of returns the share of a number of hosts, rounded down.
func (s *Share) Of(hosts int) int {
	if strings.HasSuffix(s.text, "%") {
		return hosts * s.number / 100
	}
	return s.number
}
