package host

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// answer is standard input for a script that may ask for a password: nothing until its prompt was seen, then the password, once, then
// the end. Sent blindly, it would reach whatever else reads there where sudo does not ask.
type PasswordReader struct {
	prompt string
	secret string

	once sync.Once   // given or closed, whichever comes first
	out  chan string // holds one; closed at the end
	rest string
}

func NewPasswordReader(prompt, secret string) *PasswordReader {
	return &PasswordReader{prompt: prompt, secret: secret, out: make(chan string, 1)}
}

func (a *PasswordReader) give() {
	a.once.Do(func() {
		a.out <- a.secret + "\n"
		close(a.out)
	})
}

func (a *PasswordReader) close() {
	a.once.Do(func() { close(a.out) })
}

func (a *PasswordReader) Read(p []byte) (int, error) {
	if a.rest == "" {
		a.rest = <-a.out
	}
	if a.rest == "" {
		return 0, io.EOF
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// said is a session's standard error: the end of it is kept, and the prompt for a password is answered.
type said struct {
	password *PasswordReader // nil where none is to be given
	text     []byte
}

func (s *said) Write(p []byte) (int, error) {
	s.text = append(s.text, p...)
	if s.password != nil && bytes.Contains(s.text, []byte(s.password.prompt)) {
		s.password.give()
	}
	const enough = 4096
	if excess := len(s.text) - enough; excess > 0 {
		s.text = append(s.text[:0], s.text[excess:]...)
	}
	return len(p), nil
}

// last returns the last line that was said.
func (s *said) last() string {
	text := string(s.text)
	if s.password != nil {
		text = strings.ReplaceAll(text, s.password.prompt, "")
	}
	text = strings.TrimSpace(clean.Text(text))
	return text[strings.LastIndexByte(text, '\n')+1:]
}
