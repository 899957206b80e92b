package remote

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Header is the first line that a session prints: what happened to the request.
type Header struct {
	// Word is "following", "refused", "absent", "tip", "told", "cancelled", "probed", "planned",
	// "booted", "rebooting" or "generations".
	Word string
	// Nonce and Offset come with "following". Offset is that of the bytes that follow in the log.
	Nonce  string
	Offset int64
	// Code is the reason of "refused", the commit of "tip", or the boot ID of "booted" and
	// "rebooting".
	Code   string
	Values map[string]string // figures of "refused"; see [Reason]
}

// MaxHeader limits the output of a login shell and the header that follows it, in bytes.
const MaxHeader = 64 << 10

// ErrLongHeader means that a session has printed more than [MaxHeader] bytes without a header.
var ErrLongHeader = errors.New("the session starts with more than 64 KiB that are not an answer")

// EndMark returns the last line of every answer whose header has the token, except those to
// [Job.Launch] and other scripts that print a log, which ends with a marker of its own.
func EndMark(token string) []byte { return []byte("@" + token + " end\n") }

// Stream is the standard output of a session. It drops what a login shell prints before the header,
// parses the header, and passes on the bytes of the log. It is an [io.Writer] for one goroutine.
type Stream struct {
	mark   []byte
	header func(Header)
	log    io.Writer
	before []byte // what was received before the end of the header; nil after it
}

// NewStream returns a stream whose header carries token. It calls header once, from Write.
func NewStream(token string, header func(Header), log io.Writer) *Stream {
	return &Stream{mark: []byte("@" + token + " "), header: header, log: log, before: []byte{}}
}

// Write returns [ErrLongHeader] and the errors of the log's writer.
func (s *Stream) Write(p []byte) (int, error) {
	if s.before == nil {
		return s.log.Write(p)
	}
	s.before = append(s.before, p...)
	var line, rest []byte
	whole := false
	if at := bytes.Index(s.before, s.mark); at >= 0 {
		line, rest, whole = bytes.Cut(s.before[at+len(s.mark):], []byte("\n"))
	}
	if len(s.before)-len(rest) > MaxHeader {
		s.before = []byte{}
		return 0, ErrLongHeader
	}
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
		// A host that forges the offset only misplaces its own log.
		h.Offset, _ = strconv.ParseInt(offset, 10, 64)
	case "refused", "tip", "booted", "rebooting", "importer":
		var pairs string
		h.Code, pairs, _ = strings.Cut(rest, " ")
		h.Values = parseFields(pairs)
	}
	return h
}
