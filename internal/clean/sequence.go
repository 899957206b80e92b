package clean

import "unicode/utf8"

// Control functions of ECMA-48 that introduce a sequence, as the byte that follows an escape. Each
// also has an 8-bit form, which is 0x40 higher.
const (
	escape = 0x1b
	bell   = 0x07
	dcs    = 'P'
	sos    = 'X'
	csi    = '['
	st     = '\\' // terminates a string
	osc    = ']'
	pm     = '^'
	apc    = '_'
)

// sequenceLen returns the length of the control sequence at the start of b, or 0 if there is none.
// An incomplete sequence extends to the end of b.
func sequenceLen(b []byte) int {
	function, n := introducer(b)
	if n == 0 {
		return 0
	}
	switch function {
	case csi:
		n += countPrefix(b[n:], 0x30, 0x3f)
		n += countPrefix(b[n:], 0x20, 0x2f)
		return n + finalByte(b[n:], 0x40, 0x7e)
	case osc, dcs, sos, pm, apc:
		return n + stringLen(b[n:])
	}
	if b[0] != escape { // other 8-bit controls are single characters
		return n
	}
	n = 1 + countPrefix(b[1:], 0x20, 0x2f)
	return n + finalByte(b[n:], 0x30, 0x7e)
}

// introducer returns the control function at the start of b, as its 7-bit letter, and its length.
// An 8-bit form is either a single byte, which is not valid UTF-8, or the code point of that
// number.
func introducer(b []byte) (function byte, n int) {
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

// stringLen returns the length of a control string's content including its terminator: a bell or
// ST. Another control sequence ends the string, too, as it does in terminals.
func stringLen(b []byte) int {
	for n := 0; n < len(b); {
		if b[n] == bell {
			return n + 1
		}
		if function, size := introducer(b[n:]); size > 0 {
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

// countPrefix returns how many leading bytes of b are in [low, high].
func countPrefix(b []byte, low, high byte) int {
	n := 0
	for n < len(b) && b[n] >= low && b[n] <= high {
		n++
	}
	return n
}

// finalByte returns 1 if the first byte of b is in [low, high], and 0 otherwise.
func finalByte(b []byte, low, high byte) int {
	return min(1, countPrefix(b, low, high))
}
