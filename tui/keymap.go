package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// scope is a set of places in which an action is available.
type scope uint8

const (
	inTable scope = 1 << iota
	inLog         // keys go to the log, or a host fills the screen
	inHelp
	inRuns   // the runs fill the screen
	anywhere = inTable | inLog
)

// action is one thing that the operator can do. The key map, the help and the command palette are
// all made from these.
type action struct {
	name        string // as in the palette and the configuration
	keys        []string
	about       string
	scope       scope
	changes     bool             // changes hosts: off in a read-only table
	unavailable func(*ui) string // returns why, or ""; nil if the action is always available
	do          func(*ui) tea.Cmd
}

// forHosts reports whether the action is done to hosts, not to the screen.
func (a *action) forHosts() bool {
	switch a.name {
	case "attach", "refresh", "plan", "plan-build":
		return true
	}
	return a.changes && a.scope&anywhere != 0
}

// keymap finds actions by key.
type keymap struct {
	actions []action
	byKey   map[string][]*action
}

// newKeymap returns the default key map with other keys for some of the actions, and with the
// operator's own commands.
func newKeymap(other map[string][]string, commands []Command) keymap {
	k := keymap{actions: allActions(), byKey: map[string][]*action{}}
	for _, c := range commands {
		k.actions = append(k.actions, c.action())
	}
	for i := range k.actions {
		a := &k.actions[i]
		if keys, ok := other[a.name]; ok {
			a.keys = keys
		}
		for _, key := range a.keys {
			k.byKey[key] = append(k.byKey[key], a)
		}
	}
	return k
}

// find returns the action of a key in a scope, or nil if it has none.
func (k *keymap) find(key string, where scope) *action {
	for _, a := range k.byKey[key] {
		if a.scope&where != 0 {
			return a
		}
	}
	return nil
}

// named returns the action of that name, or nil if there is none.
func (k *keymap) named(name string) *action {
	for i := range k.actions {
		if k.actions[i].name == name {
			return &k.actions[i]
		}
	}
	return nil
}

// keyFor returns the first key of an action, or "" if it has none.
func (k *keymap) keyFor(name string) string {
	if a := k.named(name); a != nil && len(a.keys) > 0 {
		return a.keys[0]
	}
	return ""
}

// keyOrCommand returns the first key of an action, or what to type to run it if it has none.
func (k *keymap) keyOrCommand(name string) string {
	if key := k.keyFor(name); key != "" {
		return key
	}
	return ":" + name
}

// ActionNames returns the names of the actions that keys can be set for.
func ActionNames() []string {
	var names []string
	for _, a := range allActions() {
		names = append(names, a.name)
	}
	return names
}

// KeyClash describes two actions that have the same key in the same scope; it returns "" if there
// are none.
func KeyClash(other map[string][]string, commands []Command) string {
	k := newKeymap(other, commands)
	for key, found := range k.byKey {
		for i, a := range found {
			for _, b := range found[i+1:] {
				if a.scope&b.scope != 0 {
					names := []string{a.name, b.name}
					slices.Sort(names)
					return strings.Join(names, " and ") + " both have " + key
				}
			}
		}
	}
	return ""
}
