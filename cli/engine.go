package cli

import (
	"context"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/sshexec"
)

// newEngine returns an engine that reaches hosts over SSH. It prompts through show, which owns the
// terminal. The caller must close the pool.
func newEngine(env *Env, show printer) (*engine.Engine, *sshexec.Pool) {
	prompting := *env
	prompting.Err = noteWriter{show}
	if env.Secret != nil {
		prompting.Secret = func(ctx context.Context, prompt string) (secret string, err error) {
			show.Aside(func() { secret, err = env.Secret(ctx, prompt) })
			return secret, err
		}
	}
	pool := newPool(&prompting)
	e := &engine.Engine{Dialer: dialer{pool, env}, Records: env.records(), LocalGit: env.localGit, MaxHosts: pool.MaxConns(), Now: env.Now}
	if prompting.Secret != nil {
		e.SudoPassword = newSudoPasswords(prompting.Secret).password
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

// noteWriter shows lines that are written to standard error as notes.
type noteWriter struct{ show printer }

func (w noteWriter) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		w.show.Note(strings.TrimRight(line, "\n"))
	}
	return len(p), nil
}
