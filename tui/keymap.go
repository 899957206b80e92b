package tui

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// scope is where an action can be had.
type scope uint8

const (
	inTable scope = 1 << iota
	inLog         // the log has the keys, or a host fills the screen
	inHelp
	anywhere = inTable | inLog
)

// action is one thing that a person can have done. The key map, the help and the palette are all made of these.
type action struct {
	name    string // as the palette and the configuration have it
	keys    []string
	about   string
	where   scope
	changes bool             // hosts: not to be had in a table that is read-only
	can     func(*ui) string // "" or why not now; nil is always
	do      func(*ui) tea.Cmd
}

// forHosts reports whether it is done to hosts, and not to the screen.
func (a *action) forHosts() bool {
	switch a.name {
	case "attach", "refresh", "plan", "plan-build":
		return true
	}
	return a.changes
}

// keymap finds actions by key.
type keymap struct {
	actions []action
	byKey   map[string][]*action
}

// newKeymap is the usual one, with other keys for some of the actions.
func newKeymap(other map[string][]string) keymap {
	k := keymap{actions: actions(), byKey: map[string][]*action{}}
	for i := range k.actions {
		a := &k.actions[i]
		if keys, ok := other[a.name]; ok {
			a.keys = keys
		}
	}
	for i := range k.actions {
		for _, key := range k.actions[i].keys {
			k.byKey[key] = append(k.byKey[key], &k.actions[i])
		}
	}
	return k
}

// find is the action of a key, there; nil where it has none.
func (k *keymap) find(key string, where scope) *action {
	for _, a := range k.byKey[key] {
		if a.where&where != 0 {
			return a
		}
	}
	return nil
}

// named is the action of that name; nil where there is none.
func (k *keymap) named(name string) *action {
	for i := range k.actions {
		if k.actions[i].name == name {
			return &k.actions[i]
		}
	}
	return nil
}

// keyOf is the first key of an action, as people write it.
func (k *keymap) keyOf(name string) string {
	if a := k.named(name); a != nil && len(a.keys) > 0 {
		return a.keys[0]
	}
	return ""
}

// ActionNames lists what keys can be set for, and [ColumnNames] what columns there are.
func ActionNames() []string {
	var names []string
	for _, a := range actions() {
		names = append(names, a.name)
	}
	return names
}

// ColumnNames lists the columns of the table.
func ColumnNames() []string {
	var names []string
	for _, c := range columnTable() {
		names = append(names, c.name)
	}
	return names
}

// KeyClash says which two actions would have one key where both work; "" where there are none.
func KeyClash(other map[string][]string) string {
	k := newKeymap(other)
	for key, found := range k.byKey {
		for i, a := range found {
			for _, b := range found[i+1:] {
				if a.where&b.where != 0 {
					names := []string{a.name, b.name}
					slices.Sort(names)
					return strings.Join(names, " and ") + " both have " + key
				}
			}
		}
	}
	return ""
}

// scope is where the keys go now.
func (u *ui) scope() scope {
	switch {
	case u.help:
		return inHelp
	case u.open != "" || u.focus == onLog:
		return inLog
	}
	return inTable
}

// key is what a key does: it answers a dialog, edits a prompt, or is an action's.
func (u *ui) key(msg tea.KeyPressMsg) tea.Cmd {
	key := msg.String()
	switch {
	case key == "ctrl+z":
		return tea.Suspend
	case key == "ctrl+c" && u.quit: // pressed twice: it is meant
		return tea.Quit
	case u.dialog != nil && key != "ctrl+c":
		return u.dialog.key(u, msg)
	case u.commands != nil && key != "ctrl+c":
		return u.commands.key(u, msg)
	case u.prompt != nil && key != "ctrl+c":
		return u.prompt.key(u, msg)
	}
	u.flash, u.flashed = flashMsg{}, time.Time{}
	if a := u.keys.find(key, u.scope()); a != nil {
		return u.perform(a)
	}
	return nil
}

// perform does an action, or says why not.
func (u *ui) perform(a *action) tea.Cmd {
	if a.changes && u.o.ReadOnly != "" {
		u.refuse(a.name + " is off: " + u.o.ReadOnly)
		return nil
	}
	if a.can != nil {
		if why := a.can(u); why != "" {
			u.refuse(why)
			return nil
		}
	}
	return a.do(u)
}

func (u *ui) paste(text string) {
	text, _, _ = strings.Cut(text, "\n")
	switch {
	case u.dialog != nil && u.dialog.input != nil:
		u.dialog.input.insert(text)
	case u.commands != nil:
		u.commands.input.insert(text)
	case u.prompt != nil:
		u.prompt.input.insert(text)
		u.prompt.changed(u)
	}
}
