package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Parse reads an inventory. With findings it is only as whole as the file let it be.
func Parse(path string, data []byte) (*Inventory, []Finding) {
	r := reader{
		document: readDocument(path, data),
		format:   format(),
		inv:      &Inventory{Path: path, Name: "fleet", Branch: "main", Parallel: 16, Notify: Notify{Timeout: NotifyTimeout}},
		defaults: Host{Wave: 1, Timeouts: DefaultTimeouts()},
	}
	r.read()
	return r.inv, r.sorted()
}

// reader makes an inventory of a document.
type reader struct {
	*document
	format   []key
	inv      *Inventory
	defaults Host // what every host begins as
}

func (r *reader) read() {
	for _, e := range r.root.entries {
		if !slices.Contains(topTables(), e.name) {
			r.unknownTable(e)
		} else if e.table == nil {
			r.note(e.at, fmt.Sprintf("%s must be a table, not %s", e.name, e.describe()), fmt.Sprintf("write [%s]", e.name))
		}
	}
	if e := r.root.get("fleet"); e != nil && e.table != nil {
		r.fill(inFleet, r.format, "[fleet]", "", e.table, target{inv: r.inv})
	}
	if e := r.root.get("defaults"); e != nil && e.table != nil {
		r.fill(inDefaults, r.format, "[defaults]", "", e.table, target{r.inv, &r.defaults})
	}
	if e := r.root.get("notify"); e != nil && e.table != nil {
		r.fill(inNotify, r.format, "[notify]", "", e.table, target{inv: r.inv})
	}
	r.hosts()
}

func topTables() []string { return []string{"fleet", "defaults", "notify", "hosts"} }

func (r *reader) hosts() {
	all := r.root.get("hosts")
	if all == nil || all.table != nil && len(all.table.entries) == 0 {
		if !r.broken {
			r.note(0, "there are no hosts", "each is written as a table: [hosts.NAME]")
		}
		return
	}
	if all.table == nil {
		return // said already
	}
	name := hostName()
	entries := make(map[*Host]*entry)
	for _, e := range all.table.entries {
		_, faults := name.read(&value{at: e.at, kind: unstable.String, text: e.name})
		for _, f := range faults {
			r.note(f.at, "host "+f.message, f.hint)
		}
		if e.table == nil {
			r.note(e.at, fmt.Sprintf("host %s must be a table, not %s", quote(e.name), e.describe()), fmt.Sprintf("write [hosts.%s]", e.name))
			continue
		}
		h := r.defaults
		h.Name = e.name
		h.line, h.column = r.position(e.at)
		h.Health = slices.Clone(r.defaults.Health)
		r.fill(inHost, r.format, "host "+quote(e.name), "", e.table, target{r.inv, &h})
		r.inv.Hosts = append(r.inv.Hosts, &h)
		entries[&h] = e
	}
	for _, h := range r.inv.Hosts {
		r.settle(h, entries[h])
	}
	r.tellApart(entries)
}

// fill reads a table's keys into a target. owner is the table in a message, prefix what its keys are under there.
func (r *reader) fill(in place, keys []key, owner, prefix string, t *table, to target) {
	for _, e := range t.entries {
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == e.name && k.in&in != 0 })
		switch {
		case i < 0 && in == inHost && e.table != nil && e.table.origin != inline:
			r.note(e.at, fmt.Sprintf("unknown table %s in %s", quote(e.name), owner), `a host's name with a dot in it needs quotes, as in [hosts."web.example.com"]`)
		case i < 0:
			r.note(e.at, fmt.Sprintf("unknown key %s in %s", quote(prefix+e.name), owner), r.unknownHint(in, keys, e.name))
		case keys[i].keys == nil:
			for _, f := range keys[i].apply(to, e.value) {
				r.note(f.at, fmt.Sprintf("%s: %s %s", owner, prefix+e.name, f.message), f.hint)
			}
		case e.table == nil:
			r.note(e.at, fmt.Sprintf("%s: %s must be a table, not %s", owner, e.name, e.describe()),
				fmt.Sprintf(`write %s.%s = "90m"`, e.name, keys[i].keys[0].name))
		default:
			r.fill(in, keys[i].keys, owner, e.name+".", e.table, to)
		}
	}
}

// unknownHint guesses what was meant by a key that is not known where it stands.
func (r *reader) unknownHint(in place, keys []key, name string) string {
	for _, k := range keys {
		if k.in&in != 0 && slices.Contains(k.also, name) {
			return "did you mean " + oneOf([]string{k.name}) + "?"
		}
	}
	if hint := r.belongs(name); hint != "" {
		return hint
	}
	meant := make(map[string]string)
	for _, k := range keys {
		if k.in&in == 0 {
			continue
		}
		for _, w := range append([]string{k.name}, k.also...) {
			meant[w] = k.name
		}
	}
	words := slices.Sorted(maps.Keys(meant))
	var guesses []string
	for _, w := range near(name, words) {
		if !slices.Contains(guesses, meant[w]) {
			guesses = append(guesses, meant[w])
		}
	}
	if len(guesses) > 0 {
		return "did you mean " + oneOf(guesses) + "?"
	}
	var known []string
	for _, k := range keys {
		if k.in&in != 0 {
			known = append(known, k.name)
		}
	}
	return "known here: " + strings.Join(known, ", ")
}

// belongs says where a key is known that is not known where it stands.
func (r *reader) belongs(name string) string {
	for _, k := range r.format {
		switch {
		case k.name == name && k.in == inFleet:
			return "it belongs in [fleet]"
		case k.name == name && k.in == inDefaults:
			return "it belongs in [defaults]"
		case k.name == name && k.in == inNotify:
			return "it belongs in [notify]"
		case k.name == name && k.in == inHost:
			return "it belongs in a [hosts.NAME]"
		case k.name == name:
			return "it belongs in [defaults] or a [hosts.NAME]"
		}
		for _, sub := range k.keys {
			if sub.name == name {
				return "it belongs in timeouts: timeouts." + name
			}
		}
	}
	return ""
}

func (r *reader) unknownTable(e *entry) {
	what, hint := "table", DidYouMean(e.name, topTables())
	if e.table == nil {
		what, hint = "key", r.belongs(e.name)
	}
	if hint == "" {
		hint = "there are [fleet], [defaults], [notify] and, for each host, [hosts.NAME]"
	}
	r.note(e.at, fmt.Sprintf("unknown %s %s", what, quote(e.name)), hint)
}
