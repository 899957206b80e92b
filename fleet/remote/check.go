package remote

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// MaxCheck limits the output of a check, in bytes.
const MaxCheck = 256 << 10

// Check returns the script that checks everything on the host that the job depends on. Its header
// is "checked", and [ParseCheck] parses what follows it.
func (j Job) Check(token string) Script {
	v := j.values()
	v["token"] = []string{token}
	return compose("check").script(v)
}

// Hold returns the script that keeps its session open for some seconds. Its header is "held".
func Hold(token string) Script {
	return compose("hold").script(values{"token": {token}})
}

// Checked is what a check found.
type Checked struct {
	User    string    // the login user
	Machine string    // a word that only entries of the same machine share
	Clock   time.Time // of the host; zero if it did not report it
	Found   []Finding
}

// Finding is one thing that a check found.
type Finding struct {
	Code    string
	Text    string // a sentence, without a period
	Warning bool   // a deploy works nevertheless
}

// ParseCheck parses the output of a check. It ignores lines that it does not know.
func ParseCheck(text []byte) Checked {
	var c Checked
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(clean.Line(line), " ")
		switch key {
		case "user":
			c.User = value
		case "machine":
			c.Machine = value
		case "clock":
			if t := instant(value); t != nil {
				c.Clock = *t
			}
		case "problem":
			c.add(value, false)
		case "warning":
			c.add(value, true)
		}
	}
	return c
}

// add adds the finding "CODE KEY=VALUE...".
func (c *Checked) add(words string, warning bool) {
	code, fields, _ := strings.Cut(words, " ")
	e := ending{code: code, fields: parseFields(fields)}
	if warning {
		c.Found = append(c.Found, Finding{Code: code, Text: notice(code, e.fields), Warning: true})
		return
	}
	e.classify()
	c.Found = append(c.Found, Finding{Code: e.code, Text: clean.Line([]byte(cmp.Or(e.sentence(), e.code)))})
}
