package inventory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Parse decodes an inventory; path is only used in messages. If there are findings, the inventory
// holds what could be decoded.
func Parse(path string, data []byte) (*Inventory, []Finding) {
	d := decoder{
		document: readDocument(path, data),
		keys:     allKeys(),
		inv:      &Inventory{Path: path, Name: "fleet", Branch: "main", Parallel: 16, Notify: Notify{Timeout: NotifyTimeout}},
		defaults: Host{Wave: 1, Connect: ConnectAuto, Sudo: "auto", Timeouts: DefaultTimeouts(), MaxLog: DefaultMaxLog},
	}
	d.decode()
	return d.inv, d.sorted()
}

// decoder converts a document to an inventory.
type decoder struct {
	*document
	keys     []key
	inv      *Inventory
	defaults Host // the initial values of every host
}

func (d *decoder) decode() {
	for _, e := range d.root.entries {
		if !slices.Contains(topLevelTables(), e.name) {
			d.reportUnknownTable(e)
		} else if e.table == nil {
			d.report(e.at, fmt.Sprintf("%s must be a table, not %s", e.name, e.describe()), fmt.Sprintf("write [%s]", e.name))
		}
	}
	d.decodeTopLevel("fleet", inFleet)
	d.decodeTopLevel("defaults", inDefaults)
	d.decodeTopLevel("notify", inNotify)
	d.checkSigners()
	d.decodeHosts()
}

func topLevelTables() []string { return []string{"fleet", "defaults", "notify", "hosts"} }

func (d *decoder) decodeTopLevel(name string, in tableSet) {
	if e := d.root.get(name); e != nil && e.table != nil {
		d.decodeTable(in, d.keys, "["+name+"]", "", e.table, destination{d.inv, &d.defaults})
	}
}

func (d *decoder) decodeHosts() {
	hosts := d.root.get("hosts")
	if hosts == nil || hosts.table != nil && len(hosts.table.entries) == 0 {
		if !d.incomplete {
			d.report(0, "no hosts are defined", "add a table for each host: [hosts.NAME]")
		}
		return
	}
	if hosts.table == nil {
		return // already reported
	}
	name := hostNameType()
	entries := make(map[*Host]*entry)
	for _, e := range hosts.table.entries {
		_, errs := name.parse(&value{at: e.at, kind: unstable.String, text: e.name})
		for _, err := range errs {
			d.report(err.at, "[hosts]: name "+err.message, err.hint)
		}
		if e.table == nil {
			d.report(e.at, fmt.Sprintf("host %s must be a table, not %s", quote(e.name), e.describe()), fmt.Sprintf("write [hosts.%s]", e.name))
			continue
		}
		h := d.defaults
		h.Name = e.name
		h.line, h.column = d.position(e.at)
		h.Health, h.BuildArgs = slices.Clone(d.defaults.Health), slices.Clone(d.defaults.BuildArgs)
		h.BeforeSwitch, h.AfterSwitch = slices.Clone(d.defaults.BeforeSwitch), slices.Clone(d.defaults.AfterSwitch)
		d.decodeTable(inHost, d.keys, "host "+quote(e.name), "", e.table, destination{d.inv, &h})
		d.inv.Hosts = append(d.inv.Hosts, &h)
		entries[&h] = e
	}
	for _, h := range d.inv.Hosts {
		d.resolveBuilder(h, entries[h])
		d.resolve(h, entries[h])
	}
	d.reportBuilderCycles(entries)
	d.reportSameTargets(entries)
}

// decodeTable decodes the entries of a table. owner names the table in messages, prefix is the path
// of its keys within the owner.
func (d *decoder) decodeTable(in tableSet, keys []key, owner, prefix string, t *table, to destination) {
	for _, e := range t.entries {
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == e.name && k.tables&in != 0 })
		if i < 0 {
			d.reportUnknownKey(in, keys, owner, prefix, e)
			continue
		}
		k := keys[i]
		if k.subkeys == nil {
			for _, err := range k.store(to, e.value) {
				d.report(err.at, fmt.Sprintf("%s: %s %s", owner, prefix+k.name, err.message), err.hint)
			}
			continue
		}
		if e.table == nil {
			d.report(e.at, fmt.Sprintf("%s: %s must be a table, not %s", owner, k.name, e.describe()),
				fmt.Sprintf(`write %s.%s = "90m"`, k.name, k.subkeys[0].name))
			continue
		}
		d.decodeTable(in, k.subkeys, owner, k.name+".", e.table, to)
	}
}

func (d *decoder) reportUnknownKey(in tableSet, keys []key, owner, prefix string, e *entry) {
	if in == inHost && e.table != nil && e.table.origin != inline {
		d.report(e.at, fmt.Sprintf("unknown table %s in %s", quote(e.name), owner), `quote a host name that contains a dot: [hosts."web.example.com"]`)
		return
	}
	d.report(e.at, fmt.Sprintf("unknown key %s in %s", quote(prefix+e.name), owner), d.unknownKeyHint(in, keys, e.name))
}

// unknownKeyHint guesses which key was meant. A synonym comes first, then the same key in another
// table, then a key with a similar name.
func (d *decoder) unknownKeyHint(in tableSet, keys []key, name string) string {
	var known, spellings []string
	keyOf := make(map[string]string) // by spelling
	for _, k := range keys {
		if k.tables&in == 0 {
			continue
		}
		known = append(known, k.name)
		for _, s := range append([]string{k.name}, k.synonyms...) {
			keyOf[s] = k.name
			spellings = append(spellings, s)
		}
	}
	if k, ok := keyOf[name]; ok {
		return "did you mean " + quote(k) + "?"
	}
	if hint := d.placementHint(name); hint != "" {
		return hint
	}
	var guesses []string
	for _, s := range suggest(name, spellings) {
		if k := keyOf[s]; !slices.Contains(guesses, k) {
			guesses = append(guesses, k)
		}
	}
	if guesses != nil {
		return "did you mean " + oneOf(guesses) + "?"
	}
	return "valid keys: " + strings.Join(known, ", ")
}

// placementHint returns which table a key belongs in, or "" if it is not a key of any table.
func (d *decoder) placementHint(name string) string {
	tables := map[tableSet]string{
		inFleet:          "[fleet]",
		inDefaults:       "[defaults]",
		inNotify:         "[notify]",
		inHost:           "[hosts.NAME]",
		inHostOrDefaults: "[defaults] or [hosts.NAME]",
	}
	for _, k := range d.keys {
		if k.name == name {
			return "it belongs in " + tables[k.tables]
		}
		for _, sub := range k.subkeys {
			if sub.name == name {
				return fmt.Sprintf("it belongs in %s: write %s.%s", k.name, k.name, name)
			}
		}
	}
	return ""
}

func (d *decoder) reportUnknownTable(e *entry) {
	noun, hint := "table", DidYouMean(e.name, topLevelTables())
	if e.table == nil {
		noun, hint = "key", d.placementHint(e.name)
	}
	if hint == "" {
		hint = "valid tables: [fleet], [defaults], [notify] and [hosts.NAME]"
	}
	d.report(e.at, fmt.Sprintf("unknown %s %s", noun, quote(e.name)), hint)
}
