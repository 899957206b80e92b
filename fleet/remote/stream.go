package remote

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// maxNoise bounds what is kept of a login shell's own words before the header.
const maxNoise = 64 << 10

// Stream is the standard output of a session: whatever a login shell says first is dropped, the header is taken out, and the log's
// bytes go on as they came. It is an [io.Writer] for one goroutine.
type Stream struct {
	mark   []byte
	header func(Header)
	log    io.Writer
	before []byte // what came so far of the noise and the header; nil once the header was seen
}

// NewStream expects the header that carries token. header is called once, from Write.
func NewStream(token string, header func(Header), log io.Writer) *Stream {
	return &Stream{mark: []byte("@" + token + " "), header: header, log: log, before: []byte{}}
}

func (s *Stream) Write(p []byte) (int, error) {
	if s.before == nil {
		return s.log.Write(p)
	}
	s.before = append(s.before, p...)
	at := bytes.Index(s.before, s.mark)
	if at < 0 {
		if excess := len(s.before) - maxNoise; excess > 0 {
			s.before = append([]byte{}, s.before[excess:]...)
		}
		return len(p), nil
	}
	line, rest, whole := bytes.Cut(s.before[at+len(s.mark):], []byte("\n"))
	if !whole {
		return len(p), nil
	}
	s.before = nil
	s.header(parseHeader(string(line)))
	if len(rest) == 0 {
		return len(p), nil
	}
	if _, err := s.log.Write(rest); err != nil {
		return 0, err
	}
	return len(p), nil
}

func parseHeader(line string) Header {
	word, rest, _ := strings.Cut(line, " ")
	h := Header{Word: word, Values: map[string]string{}}
	switch word {
	case "following":
		nonce, offset, _ := strings.Cut(rest, " ")
		h.Nonce = nonce
		h.Offset, _ = strconv.ParseInt(offset, 10, 64) // our own script's figure; a forged one only misplaces the forger's log
	case "refused", "tip", "booted", "rebooting":
		var pairs string
		h.Code, pairs, _ = strings.Cut(rest, " ")
		for pairs != "" {
			var key, value string
			key, pairs, _ = strings.Cut(pairs, "=")
			if key == "text" { // the last one, blanks and all
				h.Values[key] = pairs
				break
			}
			value, pairs, _ = strings.Cut(pairs, " ")
			h.Values[key] = value
		}
	}
	return h
}
