package record

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
)

// checksum is that of the events of a record up to some line. The last field of each event has it,
// so that a line that was changed, removed or inserted is noticed. Records of earlier versions have
// none. The zero value is for the first line.
type checksum struct {
	value uint32
	used  bool // a line had one, so all later ones must
}

const (
	sumField  = `,"sum":"`
	sumLength = len(sumField) + 8 + len(`"}`)
)

// add returns an event with its checksum, as a line.
func (c *checksum) add(event []byte) []byte {
	body := bytes.TrimSuffix(event, []byte("}"))
	c.value, c.used = crc32.Update(c.value, crc32.IEEETable, body), true
	return fmt.Appendf(bytes.Clone(body), "%s%08x\"}\n", sumField, c.value)
}

// verify compares the checksum of a line with that of the line and those before it.
func (c *checksum) verify(line []byte) error {
	body, stored, ok := cutSum(line)
	if !ok {
		if c.used {
			return errors.New("the event has no checksum")
		}
		return nil
	}
	c.value, c.used = crc32.Update(c.value, crc32.IEEETable, body), true
	if c.value != stored {
		return errors.New("the event is not as it was recorded")
	}
	return nil
}

// resume continues after a line whose checksum is not verified.
func (c *checksum) resume(line []byte) {
	if _, stored, ok := cutSum(line); ok {
		c.value, c.used = stored, true
	}
}

// cutSum splits a line into what the checksum is computed of and the checksum, if it has one.
func cutSum(line []byte) (body []byte, sum uint32, ok bool) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if len(line) < sumLength {
		return nil, 0, false
	}
	body, field := line[:len(line)-sumLength], line[len(line)-sumLength:]
	if !bytes.HasPrefix(field, []byte(sumField)) || !bytes.HasSuffix(field, []byte(`"}`)) {
		return nil, 0, false
	}
	n, err := strconv.ParseUint(string(field[len(sumField):len(sumField)+8]), 16, 32)
	return body, uint32(n), err == nil
}
