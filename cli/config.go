package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

// config is what a person has set for themselves, in fleetctl/config.toml of their configuration directory, or their machine for all.
type config struct {
	tui.Settings
	Refresh time.Duration    // between two looks at a host
	Notify  inventory.Notify // who is told of the end of a run that was begun from the table
}

func defaultConfig() config {
	return config{Settings: tui.Settings{Theme: tui.Terminal, Bell: true}, Refresh: 30 * time.Second, Notify: inventory.Notify{Timeout: inventory.NotifyTimeout}}
}

// configFile is a person's own, else the one that their machine has for everybody; "" where there is neither.
func (env *Env) configFile() string {
	own, shared := env.Getenv("XDG_CONFIG_HOME"), env.Getenv("XDG_CONFIG_DIRS")
	if !filepath.IsAbs(own) {
		own = filepath.Join(env.Home, ".config")
	}
	if shared == "" {
		shared = "/etc/xdg"
	}
	for _, dir := range append([]string{own}, filepath.SplitList(shared)...) {
		path := filepath.Join(dir, "fleetctl", "config.toml")
		// One that is there and cannot be looked at is not passed over.
		if _, err := os.Stat(path); filepath.IsAbs(dir) && !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// config reads the file, which need not be there. All that is wrong with it is the error.
func (env *Env) config() (config, error) {
	path := env.configFile()
	if path == "" {
		return defaultConfig(), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return config{}, fmt.Errorf("cannot read the configuration: %w", err)
	}
	c, findings := parseConfig(path, text)
	if len(findings) > 0 {
		return c, exit(fleet.ExitUsage, inventory.Findings(findings))
	}
	return c, nil
}

// configReader makes a config of a file, and notes what is wrong with it.
type configReader struct {
	path     string
	text     []byte
	findings []inventory.Finding
	config   config
}

func parseConfig(path string, text []byte) (config, []inventory.Finding) {
	r := &configReader{path: path, text: text, config: defaultConfig()}
	var p unstable.Parser
	p.Reset(text)
	table := ""
	for p.NextExpression() {
		switch n := p.Expression(); n.Kind {
		case unstable.KeyValue:
			key, at := dotted(n.Key())
			if table != "" {
				key = table + "." + key
			}
			r.set(key, at, n.Value())
		default:
			table, _ = dotted(n.Key())
		}
	}
	if err := p.Error(); err != nil {
		at, message := len(text), err.Error()
		var fault *unstable.ParserError
		if errors.As(err, &fault) {
			at, message = len(text)-cap(fault.Highlight), fault.Message
		}
		r.note(at, "", "%s", message)
	}
	if clash := tui.KeyClash(r.config.Keys); clash != "" && len(r.findings) == 0 {
		r.note(max(strings.Index(string(text), "[keys]"), 0), "give one of them another", "%s", clash)
	}
	return r.config, r.findings
}

// dotted is a key as it is written, and where its last part stands.
func dotted(it unstable.Iterator) (name string, at int) {
	var parts []string
	for it.Next() {
		parts = append(parts, string(it.Node().Data))
		at = int(it.Node().Raw.Offset)
	}
	return strings.Join(parts, "."), at
}

func (r *configReader) note(at int, hint, format string, args ...any) {
	at = min(max(at, 0), len(r.text))
	before := string(r.text[:at])
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	r.findings = append(r.findings, inventory.Finding{File: r.path, Line: line, Column: column, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// set takes one value. at is where its key stands.
func (r *configReader) set(key string, at int, v *unstable.Node) {
	c := &r.config
	switch key {
	case "theme":
		var names []string
		for _, t := range tui.Themes {
			names = append(names, string(t))
		}
		c.Theme = tui.Theme(r.one(key, at, v, names))
	case "refresh":
		d, err := time.ParseDuration(r.word(key, at, v))
		if err != nil || d < time.Second || d > time.Hour {
			r.note(at, `as in "30s" or "5m"`, "refresh must be from 1s to 1h, not %q", v.Data)
			return
		}
		c.Refresh = d
	case "columns":
		c.Columns = r.some(key, at, v, tui.ColumnNames())
	case "mouse":
		c.Mouse = r.yes(key, at, v)
	case "reduced_motion":
		c.Calm = r.yes(key, at, v)
	case "notifications.bell":
		c.Bell = r.yes(key, at, v)
	case "notifications.command":
		c.Notify.Command = r.word(key, at, v)
	case "notifications.on":
		c.Notify.OnFailure = r.one(key, at, v, []string{"always", "failure"}) == "failure"
	default:
		action, isKey := strings.CutPrefix(key, "keys.")
		switch {
		case isKey && slices.Contains(tui.ActionNames(), action):
			if c.Keys == nil {
				c.Keys = make(map[string][]string)
			}
			c.Keys[action] = r.some(key, at, v, nil)
		case isKey:
			r.note(at, inventory.DidYouMean(action, tui.ActionNames()), "there is no action %q to set keys for", action)
		default:
			known := []string{"theme", "refresh", "columns", "mouse", "reduced_motion", "notifications.bell", "notifications.command", "notifications.on", "keys.ACTION"}
			hint := inventory.DidYouMean(key, known)
			if hint == "" {
				hint = "known are " + strings.Join(known, ", ")
			}
			r.note(at, hint, "unknown key %q", key)
		}
	}
}

func (r *configReader) word(key string, at int, v *unstable.Node) string {
	if v.Kind != unstable.String {
		r.note(at, "put it in quotes", "%s must be text", key)
	}
	return string(v.Data)
}

// one is a word of a few.
func (r *configReader) one(key string, at int, v *unstable.Node, words []string) string {
	word := r.word(key, at, v)
	if v.Kind == unstable.String && !slices.Contains(words, word) {
		hint := inventory.DidYouMean(word, words)
		if hint == "" {
			hint = "there are " + strings.Join(words, ", ")
		}
		r.note(at, hint, "%s cannot be %q", key, word)
	}
	return word
}

// some is a list of words, or one alone; of those given, unless none are.
func (r *configReader) some(key string, at int, v *unstable.Node, words []string) []string {
	var all []string
	take := func(n *unstable.Node) {
		if words != nil {
			all = append(all, r.one(key, at, n, words))
		} else {
			all = append(all, r.word(key, at, n))
		}
	}
	if v.Kind != unstable.Array {
		take(v)
		return all
	}
	for it := v.Children(); it.Next(); {
		take(it.Node())
	}
	return all
}

func (r *configReader) yes(key string, at int, v *unstable.Node) bool {
	if v.Kind != unstable.Bool {
		r.note(at, "", "%s must be true or false", key)
	}
	return string(v.Data) == "true"
}
