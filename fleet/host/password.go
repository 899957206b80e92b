package host

import (
	"context"
	"io"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// maxSudoAttempts is how many passwords a host gets at most, because more failures may lock the
// account.
const maxSudoAttempts = 3

// SudoPassword is the password that sudo wants on a host, once the operator has given it. The zero
// value has none.
type SudoPassword struct {
	password string
	known    bool
	rejected int // how often sudo rejected it
}

// NeedsSudo reports whether a host refused because sudo wants a password, or another one.
func NeedsSudo(h remote.Header) bool {
	code := fleet.Code(h.Code)
	return h.Word == "refused" && (code == fleet.CodeSudoPassword || code == fleet.CodeSudoWrong)
}

// Ask asks the operator for the password that the host's answer says it needs, at most three times.
// ask is like [Client.SudoPassword]. Without a password it returns the host's result.
func (s *SudoPassword) Ask(
	ctx context.Context, ask func(context.Context, string, bool) (string, error), h remote.Header, target *inventory.Host,
) *fleet.Result {
	if s.known {
		s.rejected++
	}
	if ask == nil || s.rejected == maxSudoAttempts {
		return RefusalResult(fleet.Connect, h, target)
	}
	password, err := ask(ctx, target.Name, s.known)
	if err != nil {
		result := RefusalResult(fleet.Connect, remote.Header{Code: string(fleet.CodeSudoPassword)}, target)
		result.Reason += ": " + clean.Line([]byte(err.Error()))
		return result
	}
	s.password, s.known = password, true
	return nil
}

// Reader returns a prompt for a script and the reader that answers it, or nothing if there is no
// password to give.
func (s *SudoPassword) Reader() (prompt string, r *PasswordReader) {
	if !s.known {
		return "", nil
	}
	prompt = remote.Token()
	return prompt, NewPasswordReader(prompt, s.password)
}

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
