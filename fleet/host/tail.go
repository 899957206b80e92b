package host

import (
	"bytes"
	"strings"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// tail keeps the end of what is written to it. It answers the prompt for a password.
type tail struct {
	password *PasswordReader // nil if there is no password to give
	text     []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if t.password != nil && bytes.Contains(t.text, []byte(t.password.prompt)) {
		t.password.answer()
	}
	const limit = 4096
	if excess := len(t.text) - limit; excess > 0 {
		t.text = append(t.text[:0], t.text[excess:]...)
	}
	return len(p), nil
}

// last returns the last line, without the prompt.
func (t *tail) last() string {
	text := string(t.text)
	if t.password != nil {
		text = strings.ReplaceAll(text, t.password.prompt, "")
	}
	text = strings.TrimSpace(clean.Text(text))
	return text[strings.LastIndexByte(text, '\n')+1:]
}
