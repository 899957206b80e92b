package clean

import "unicode/utf8"

// The control functions of ECMA-48 that open a sequence, as the byte that follows an escape; each has an 8-bit form too, 0x40 higher.
const (
	escape = 0x1b
	bell   = 0x07
	dcs    = 'P'
	sos    = 'X'
	csi    = '['
	st     = '\\' // ends a string
	osc    = ']'
	pm     = '^'
	apc    = '_'
)

// sequence returns how many bytes of b are a control sequence that begins there: 0 where none does. One that is not
// finished is a sequence as far as it goes.
func sequence(b []byte) int {
	function, n := opener(b)
	if n == 0 {
		return 0
	}
	switch function {
	case csi:
		n += span(b[n:], 0x30, 0x3f)
		n += span(b[n:], 0x20, 0x2f)
		return n + oneOf(b[n:], 0x40, 0x7e)
	case osc, dcs, sos, pm, apc:
		return n + str(b[n:])
	}
	if b[0] != escape { // the other 8-bit controls stand alone
		return n
	}
	n = 1 + span(b[1:], 0x20, 0x2f)
	return n + oneOf(b[n:], 0x30, 0x7e)
}

// opener returns the control function that b begins with, as its 7-bit letter, and its length. The 8-bit forms come as one byte
// that is not UTF-8, or as the code point of that number.
func opener(b []byte) (function byte, n int) {
	switch {
	case b[0] == escape && len(b) == 1:
		return 0, 1
	case b[0] == escape:
		return b[1], 2
	case b[0] >= 0x80 && b[0] <= 0x9f:
		return b[0] - 0x40, 1
	case b[0] == 0xc2 && len(b) > 1 && b[1] >= 0x80 && b[1] <= 0x9f:
		return b[1] - 0x40, 2
	}
	return 0, 0
}

// str returns the length of a control string's content with its end: a bell, a string terminator, or, since terminals give up there
// too, whatever other sequence begins.
func str(b []byte) int {
	for n := 0; n < len(b); {
		if b[n] == bell {
			return n + 1
		}
		if function, size := opener(b[n:]); size > 0 {
			if function == st {
				return n + size
			}
			return n
		}
		_, size := utf8.DecodeRune(b[n:])
		n += size
	}
	return len(b)
}

// span returns how many bytes at the beginning of b lie in [low, high].
func span(b []byte, low, high byte) int {
	n := 0
	for n < len(b) && b[n] >= low && b[n] <= high {
		n++
	}
	return n
}

// oneOf is 1 where the first byte of b lies in [low, high].
func oneOf(b []byte, low, high byte) int {
	return min(1, span(b, low, high))
}
