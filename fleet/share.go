package fleet

import (
	"errors"
	"strconv"
	"strings"
)

// Share is how many of the hosts: a number of them, or so many per cent. The zero Share is none given. It is a flag's value.
type Share struct {
	number int
	text   string // as given; "" is none
}

// Set reads "3" or "10%".
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

// Given reports whether there is one: 0 hosts are a share, too.
func (s *Share) Given() bool { return s.text != "" }

// Of is the share of so many hosts. A part of a host is none.
func (s *Share) Of(hosts int) int {
	if strings.HasSuffix(s.text, "%") {
		return hosts * s.number / 100
	}
	return s.number
}
