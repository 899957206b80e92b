package remote

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestStreamSeparatesHeaderFromLog(t *testing.T) {
	whole := "Welcome to fish!\n@other following x 0\n@tok following abc 42\nlog \x00\xff bytes\n@tok refused again\n"
	for size := 1; size <= len(whole); size++ {
		var log bytes.Buffer
		var headers []Header
		s := NewStream("tok", func(h Header) { headers = append(headers, h) }, &log)
		for rest := []byte(whole); len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := s.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if len(headers) != 1 || headers[0].Word != "following" || headers[0].Nonce != "abc" || headers[0].Offset != 42 {
			t.Fatalf("in pieces of %d: headers %+v", size, headers)
		}
		if want := "log \x00\xff bytes\n@tok refused again\n"; log.String() != want {
			t.Fatalf("in pieces of %d: log %q, want %q", size, log.String(), want)
		}
	}
}

func TestParseHeader(t *testing.T) {
	for line, want := range map[string]Header{
		"refused locked job=r1.h1 who=mba@imac0 since=1700000000 step=build": {Word: "refused", Code: "locked",
			Values: map[string]string{"job": "r1.h1", "who": "mba@imac0", "since": "1700000000", "step": "build"}},
		"refused sudo-denied text=sudo: mba is not in the sudoers file": {Word: "refused", Code: "sudo-denied",
			Values: map[string]string{"text": "sudo: mba is not in the sudoers file"}},
		"refused sudo-password": {Word: "refused", Code: "sudo-password", Values: map[string]string{}},
		"absent":                {Word: "absent", Values: map[string]string{}},
		"tip 0123":              {Word: "tip", Code: "0123", Values: map[string]string{}},
	} {
		if got := parseHeader(line); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", line, got, want)
		}
	}
}

func TestStreamRejectsLongHeader(t *testing.T) {
	for name, start := range map[string]string{"noise": "", "a header without its end": "motd\n@tok refused locked "} {
		headers, written := 0, 0
		s := NewStream("tok", func(Header) { headers++ }, &bytes.Buffer{})
		_, err := s.Write([]byte(start))
		for err == nil && written < 2*MaxHeader {
			var n int
			n, err = s.Write(bytes.Repeat([]byte("noise "), 1000))
			written += n
		}
		if !errors.Is(err, ErrLongHeader) || headers > 0 || written > MaxHeader {
			t.Errorf("%s: %v after %d bytes, %d headers", name, err, written, headers)
		}
	}
	var log bytes.Buffer
	headers := 0
	s := NewStream("tok", func(Header) { headers++ }, &log)
	rest := strings.Repeat("x", 2*MaxHeader)
	if _, err := s.Write([]byte(strings.Repeat("m", MaxHeader-20) + "\n@tok absent\n" + rest)); err != nil || headers != 1 || log.String() != rest {
		t.Errorf("a header within the limit: %v, %d headers, %d bytes of log", err, headers, log.Len())
	}
}
