package host

import (
	"io"
	"sync"
)

// PasswordReader is standard input for a script that may ask for a password. It blocks until the
// prompt appears in the script's standard error, then returns the password once, then end of file.
// The password is not sent earlier, because something other than sudo might read it.
type PasswordReader struct {
	prompt string
	secret string

	once sync.Once   // sent or closed, whichever comes first
	out  chan string // buffered; closed at the end
	rest string
}

// NewPasswordReader returns a reader that answers a prompt.
func NewPasswordReader(prompt, secret string) *PasswordReader {
	return &PasswordReader{prompt: prompt, secret: secret, out: make(chan string, 1)}
}

// answer sends the password, once.
func (r *PasswordReader) answer() {
	r.once.Do(func() {
		r.out <- r.secret + "\n"
		close(r.out)
	})
}

// close ends the input. The password can no longer be sent.
func (r *PasswordReader) close() {
	r.once.Do(func() { close(r.out) })
}

func (r *PasswordReader) Read(p []byte) (int, error) {
	if r.rest == "" {
		r.rest = <-r.out
	}
	if r.rest == "" {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
