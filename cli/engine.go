package cli

import (
	"context"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/sshexec"
)

// newEngine makes an engine that reaches hosts over SSH. What it has to ask a person goes by way of show, which has the
// terminal. The caller closes the pool.
func newEngine(env *Env, show printer) (*engine.Engine, *sshexec.Pool) {
	asking := *env
	asking.Err = noteWriter{show}
	if env.Secret != nil {
		asking.Secret = func(ctx context.Context, prompt string) (secret string, err error) {
			show.Aside(func() { secret, err = env.Secret(ctx, prompt) })
			return secret, err
		}
	}
	pool := newPool(&asking)
	e := &engine.Engine{Dialer: dialer{pool}, Records: env.records(), LocalGit: env.localGit, Now: env.Now}
	if asking.Secret != nil {
		e.SudoPassword = newSudoPasswords(asking.Secret).password
	}
	return e, pool
}

func colorsOf(hosts []*inventory.Host) map[string]string {
	colors := make(map[string]string, len(hosts))
	for _, h := range hosts {
		colors[h.Name] = h.Color
	}
	return colors
}

// noteWriter makes notes of what others would write to standard error.
type noteWriter struct{ show printer }

func (w noteWriter) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		w.show.Note(strings.TrimRight(line, "\n"))
	}
	return len(p), nil
}
