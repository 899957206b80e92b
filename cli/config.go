package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/internal/ownership"
	"github.com/markus-barta/nixfleet/tui"
)

// config holds the operator's settings, from fleetctl/config.toml in the user's or the system's
// configuration directory.
type config struct {
	tui.Settings
	Refresh time.Duration    // between two polls of a host
	Notify  inventory.Notify // notified when a run that was started from the table ends
}

func defaultConfig() config {
	return config{
		Settings: tui.Settings{Theme: tui.Terminal, Bell: true},
		Refresh:  30 * time.Second,
		Notify:   inventory.Notify{Timeout: inventory.NotifyTimeout},
	}
}

// configFile returns the path of the user's configuration or, if there is none, the system's. It
// returns "" if there is neither.
func (env *Env) configFile() string {
	userDir, systemDirs := env.Getenv("XDG_CONFIG_HOME"), env.Getenv("XDG_CONFIG_DIRS")
	if !filepath.IsAbs(userDir) {
		userDir = filepath.Join(env.Home, ".config")
	}
	if systemDirs == "" {
		systemDirs = "/etc/xdg"
	}
	for _, dir := range append([]string{userDir}, filepath.SplitList(systemDirs)...) {
		path := filepath.Join(dir, "fleetctl", "config.toml")
		// A file that cannot be examined is returned, so that reading it reports the error.
		if _, err := os.Stat(path); filepath.IsAbs(dir) && !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// config reads the configuration. If there is no file, it returns the defaults. If the file has
// findings, the error holds all of them.
func (env *Env) config() (config, error) {
	path := env.configFile()
	if path == "" {
		return defaultConfig(), nil
	}
	text, err := ownership.ReadFile(path)
	if err != nil {
		if hint.Of(err) != "" {
			return config{}, exit(fleet.ExitUsage, fmt.Errorf("refused the configuration: %w", err))
		}
		return config{}, fmt.Errorf("cannot read the configuration: %w", err)
	}
	c, findings := parseConfig(path, text)
	if len(findings) > 0 {
		return c, exit(fleet.ExitUsage, inventory.Findings(findings))
	}
	return c, nil
}

// configParser parses a configuration file and collects findings.
type configParser struct {
	path     string
	text     []byte
	findings []inventory.Finding
	config   config
}

func parseConfig(path string, text []byte) (config, []inventory.Finding) {
	p := &configParser{path: path, text: text, config: defaultConfig()}
	var t unstable.Parser
	t.Reset(text)
	table := ""
	for t.NextExpression() {
		switch n := t.Expression(); n.Kind {
		case unstable.KeyValue:
			key, offset := dottedKey(n.Key())
			if table != "" {
				key = table + "." + key
			}
			p.set(key, offset, n.Value())
		default:
			table, _ = dottedKey(n.Key())
		}
	}
	if err := t.Error(); err != nil {
		offset, message := len(text), err.Error()
		var parserErr *unstable.ParserError
		if errors.As(err, &parserErr) {
			offset, message = len(text)-cap(parserErr.Highlight), parserErr.Message
		}
		p.addFinding(offset, "", "%s", message)
	}
	if len(p.findings) == 0 {
		p.checkCommands()
	}
	if clash := tui.KeyClash(p.config.Keys, p.config.Commands); clash != "" && len(p.findings) == 0 {
		p.addFinding(max(strings.Index(string(text), "[keys]"), 0), "assign another key to one of them", "%s", clash)
	}
	return p.config, p.findings
}

// dottedKey returns a key as written, and the offset of its last part.
func dottedKey(it unstable.Iterator) (name string, offset int) {
	var parts []string
	for it.Next() {
		parts = append(parts, string(it.Node().Data))
		offset = int(it.Node().Raw.Offset)
	}
	return strings.Join(parts, "."), offset
}

func (p *configParser) addFinding(offset int, hint, format string, args ...any) {
	before := string(p.text[:min(max(offset, 0), len(p.text))])
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	message := fmt.Sprintf(format, args...)
	if slices.ContainsFunc(p.findings, func(f inventory.Finding) bool { return f.Message == message }) {
		return // about the name of a table, for each of its keys
	}
	p.findings = append(p.findings, inventory.Finding{File: p.path, Line: line, Column: column, Message: message, Hint: hint})
}

// set sets the value of a key. The offset is that of the key.
func (p *configParser) set(key string, offset int, v *unstable.Node) {
	c := &p.config
	switch key {
	case "theme":
		var names []string
		for _, t := range tui.Themes {
			names = append(names, string(t))
		}
		c.Theme = tui.Theme(p.oneOf(key, offset, v, names))
	case "refresh":
		d, err := time.ParseDuration(p.stringValue(key, offset, v))
		if err != nil || d < time.Second || d > time.Hour {
			p.addFinding(offset, `for example "30s" or "5m"`, "refresh must be between 1s and 1h, not %q", v.Data)
			return
		}
		c.Refresh = d
	case "columns":
		c.Columns = p.listValue(key, offset, v, tui.ColumnNames())
	case "mouse":
		c.Mouse = p.boolValue(key, offset, v)
	case "reduced_motion":
		c.Calm = p.boolValue(key, offset, v)
	case "notifications.bell":
		c.Bell = p.boolValue(key, offset, v)
	case "notifications.command":
		c.Notify.Command = p.stringValue(key, offset, v)
	case "notifications.on":
		c.Notify.OnFailure = p.oneOf(key, offset, v, []string{"always", "failure"}) == "failure"
	default:
		action, isKey := strings.CutPrefix(key, "keys.")
		command, isCommand := strings.CutPrefix(key, "commands.")
		filter, isFilter := strings.CutPrefix(key, "filters.")
		switch {
		case isFilter:
			c.Filters = append(c.Filters, tui.Filter{Name: filter, Text: p.stringValue(key, offset, v)})
		case isCommand:
			p.setCommand(command, offset, v)
		case isKey && slices.Contains(tui.ActionNames(), action):
			if c.Keys == nil {
				c.Keys = make(map[string][]string)
			}
			c.Keys[action] = p.listValue(key, offset, v, nil)
		case isKey:
			p.addFinding(offset, inventory.DidYouMean(action, tui.ActionNames()), "unknown action %q", action)
		default:
			known := []string{"theme", "refresh", "columns", "mouse", "reduced_motion", "notifications.bell", "notifications.command", "notifications.on", "keys.ACTION", "commands.NAME.run", "filters.NAME"}
			hint := inventory.DidYouMean(key, known)
			if hint == "" {
				hint = "known keys are " + strings.Join(known, ", ")
			}
			p.addFinding(offset, hint, "unknown key %q", key)
		}
	}
}

// commandName matches the names of the operator's own commands.
var commandName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// setCommand sets a value of one of the operator's own commands. The key is NAME.FIELD.
func (p *configParser) setCommand(key string, offset int, v *unstable.Node) {
	name, field, _ := strings.Cut(key, ".")
	switch {
	case !commandName.MatchString(name):
		p.addFinding(offset, "use lower-case letters, digits and dashes", "invalid name %q for a command", name)
		return
	case slices.Contains(tui.ActionNames(), name):
		p.addFinding(offset, "choose another name", "the table has an action %q of its own", name)
		return
	}
	commands := &p.config.Commands
	i := slices.IndexFunc(*commands, func(c tui.Command) bool { return c.Name == name })
	if i < 0 {
		i = len(*commands)
		*commands = append(*commands, tui.Command{Name: name, Confirm: true})
	}
	c := &(*commands)[i]
	key = "commands." + key
	switch field {
	case "key":
		c.Keys = p.listValue(key, offset, v, nil)
	case "about":
		c.About = p.stringValue(key, offset, v)
	case "run":
		if c.Run = p.stringValue(key, offset, v); strings.TrimSpace(c.Run) == "" {
			p.addFinding(offset, "write the command as you would for a shell", "%s is empty", key)
		}
	case "on":
		c.OnOperator = p.oneOf(key, offset, v, []string{"host", "operator"}) == "operator"
	case "confirm":
		c.Confirm = p.boolValue(key, offset, v)
	default:
		known := []string{"key", "about", "run", "on", "confirm"}
		p.addFinding(offset, cmp.Or(inventory.DidYouMean(field, known), "known keys are "+strings.Join(known, ", ")), "unknown key %q", key)
	}
}

// checkCommands reports commands without a command line.
func (p *configParser) checkCommands() {
	for _, c := range p.config.Commands {
		if c.Run == "" {
			table := "[commands." + c.Name + "]"
			p.addFinding(max(strings.Index(string(p.text), table), 0), `for example: run = "uptime"`, "command %q has no run", c.Name)
		}
	}
}

func (p *configParser) stringValue(key string, offset int, v *unstable.Node) string {
	if v.Kind != unstable.String {
		p.addFinding(offset, "put it in quotes", "%s must be a string", key)
	}
	return string(v.Data)
}

// oneOf returns a string value, which must be one of words.
func (p *configParser) oneOf(key string, offset int, v *unstable.Node, words []string) string {
	word := p.stringValue(key, offset, v)
	if v.Kind == unstable.String && !slices.Contains(words, word) {
		hint := inventory.DidYouMean(word, words)
		if hint == "" {
			hint = "must be one of " + strings.Join(words, ", ")
		}
		p.addFinding(offset, hint, "invalid value %q for %s", word, key)
	}
	return word
}

// listValue returns a list of strings, which may be written as a single string. If words is not
// nil, each must be one of them.
func (p *configParser) listValue(key string, offset int, v *unstable.Node, words []string) []string {
	var list []string
	add := func(n *unstable.Node) {
		if words != nil {
			list = append(list, p.oneOf(key, offset, n, words))
		} else {
			list = append(list, p.stringValue(key, offset, n))
		}
	}
	if v.Kind != unstable.Array {
		add(v)
		return list
	}
	for it := v.Children(); it.Next(); {
		add(it.Node())
	}
	return list
}

func (p *configParser) boolValue(key string, offset int, v *unstable.Node) bool {
	if v.Kind != unstable.Bool {
		p.addFinding(offset, "", "%s must be true or false", key)
	}
	return string(v.Data) == "true"
}
