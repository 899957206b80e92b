package remote

import (
	"bytes"
	"reflect"
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

func TestStreamLimitsNoise(t *testing.T) {
	s := NewStream("tok", func(Header) {}, &bytes.Buffer{})
	for range 1000 {
		_, _ = s.Write(bytes.Repeat([]byte("noise "), 1000))
	}
	if len(s.before) > maxNoise {
		t.Errorf("%d bytes of noise are kept", len(s.before))
	}
}
