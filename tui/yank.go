package tui

import (
	"cmp"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// openYank lists what can be copied of the host that keys are about.
func (u *ui) openYank() {
	r := u.subject()
	reason := r.judged.Reason
	if last := r.judged.LastRun; last != nil && last.Reason != "" {
		reason = last.Reason
	}
	if result := r.result(); result != nil && result.Reason != "" {
		reason = result.Reason
	}
	u.menu = &menu{title: "copy of " + r.Name, items: []menuItem{
		copyItem("n", "name", r.Name, ""),
		copyItem("a", "address", cmp.Or(r.Address, r.Name), ""),
		copyItem("r", "revision", r.judged.Revision, "its revision is not known"),
		copyItem("e", "error", reason, "nothing is wrong with it"),
		copyItem("t", "target", u.hosts.target.Revision, "the fleet's target is not known"),
	}}
}

// copyItem returns the item of a menu that copies a text. If the text is empty, none explains why.
func copyItem(key, name, text, none string) menuItem {
	it := menuItem{key: key, name: name, about: health.ShortenPaths(text), do: func() effect { return copyText(name, text) }}
	if text == "" {
		it.why = none
	}
	return it
}

// copyText copies a text to the clipboard, with OSC 52, which is for the terminal that shows the
// table, also through ssh.
func copyText(name, text string) effect {
	e := info("copied the " + name + " (if your terminal allows it): " + text)
	e.cmd = tea.SetClipboard(text)
	return e
}
