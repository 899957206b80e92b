package inventory

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// table is a TOML table in file order, with the position of everything in it.
type table struct {
	entries []*entry          // a key that is set twice is listed twice
	index   map[string]*entry // the first entry of each key
	origin  origin
}

// origin records how a table was defined, which decides whether later lines may extend it.
type origin int

const (
	implied origin = iota // [a.b] implies a, which [a] may still define
	header                // [a]
	dotted                // a.b = 1 within a table
	inline                // { b = 1 }
)

// entry is a key of a table, with its value.
type entry struct {
	name string
	at   int // offset of the key
	*value
}

// value is a TOML value: a string, a scalar as written (number, date or boolean), a list, or a
// table.
type value struct {
	at         int // offset of the value
	kind       unstable.Kind
	text       string
	items      []*value
	appendable bool // a list defined by a [[header]], which further headers may extend
	table      *table
}

func newTable(o origin) *table { return &table{index: make(map[string]*entry), origin: o} }

// get returns the first entry of a key, or nil.
func (t *table) get(name string) *entry {
	if t == nil {
		return nil
	}
	return t.index[name]
}

func (t *table) add(name string, at int, v *value) *entry {
	e := &entry{name: name, at: at, value: v}
	t.entries = append(t.entries, e)
	if t.index[name] == nil {
		t.index[name] = e
	}
	return e
}

// document builds a tree of tables from the expressions of the TOML parser.
type document struct {
	*source
	parser     unstable.Parser
	base       int // offset in the file of the parser's input
	root       *table
	current    *table
	incomplete bool // part of the file could not be read, so missing keys may be there
}

// readDocument reads as much of a file as is valid TOML. After a syntax error it continues at the
// next [table].
func readDocument(file string, data []byte) *document {
	src, ok := decodeUTF8(file, data)
	d := &document{source: src, root: newTable(header), incomplete: !ok}
	if !ok {
		return d
	}
	for {
		d.current = d.root
		d.parser.Reset(d.text[d.base:])
		for d.parser.NextExpression() {
			d.addExpression(d.parser.Expression())
		}
		if d.parser.Error() == nil {
			return d
		}
		d.incomplete = true
		d.base = d.nextTable(d.reportSyntaxError(d.parser.Error()))
	}
}

func (d *document) addExpression(n *unstable.Node) {
	switch n.Kind {
	case unstable.KeyValue:
		d.set(d.current, n)
	case unstable.ArrayTable:
		d.current = d.appendTable(d.keyPath(n.Key()))
	default:
		d.current = d.openTable(d.keyPath(n.Key()))
	}
}

// keyPart is one part of a dotted key.
type keyPart struct {
	name string
	at   int
}

func (d *document) keyPath(it unstable.Iterator) []keyPart {
	var path []keyPart
	for it.Next() {
		path = append(path, keyPart{string(it.Node().Data), d.base + int(it.Node().Raw.Offset)})
	}
	return path
}

// dottedKey returns a path as it is written in the file.
func dottedKey(path []keyPart) string {
	names := make([]string, len(path))
	for i, p := range path {
		names[i] = p.name
	}
	return strings.Join(names, ".")
}

// openTable returns the table that a [header] starts.
func (d *document) openTable(path []keyPart) *table {
	last := len(path) - 1
	t := d.descend(d.root, path[:last], implied)
	name, at := path[last].name, path[last].at
	if old := t.index[name]; old != nil {
		if old.table != nil && old.table.origin == implied {
			old.table.origin, old.at = header, at
			return old.table
		}
		duplicate := fmt.Sprintf("table [%s]", dottedKey(path))
		if len(path) == 2 && path[0].name == "hosts" {
			duplicate = "host " + quote(name)
		}
		d.report(at, "duplicate "+duplicate, fmt.Sprintf("it is first defined on line %d", d.line(old.at)))
	}
	return t.add(name, at, &value{at: at, kind: unstable.Table, table: newTable(header)}).table
}

// appendTable returns the table that a [[header]] appends to a list.
func (d *document) appendTable(path []keyPart) *table {
	last := len(path) - 1
	t := d.descend(d.root, path[:last], implied)
	name, at := path[last].name, path[last].at
	list := t.index[name]
	if list == nil {
		list = t.add(name, at, &value{at: at, kind: unstable.Array, appendable: true})
	} else if !list.appendable {
		d.report(at, fmt.Sprintf("cannot append to [[%s]]", dottedKey(path)), fmt.Sprintf("line %d sets it to %s", d.line(list.at), list.describe()))
		return newTable(header)
	}
	added := &value{at: at, kind: unstable.Table, table: newTable(header)}
	list.items = append(list.items, added)
	return added.table
}

// descend follows a path of keys and creates the tables that do not exist yet.
func (d *document) descend(t *table, path []keyPart, o origin) *table {
	for _, p := range path {
		next := t.index[p.name]
		switch {
		case next == nil:
			next = t.add(p.name, p.at, &value{at: p.at, kind: unstable.Table, table: newTable(o)})
		case next.appendable:
			t = next.items[len(next.items)-1].table
			continue
		case next.table == nil:
			d.report(p.at, quote(p.name)+" is not a table", fmt.Sprintf("line %d sets it to %s", d.line(next.at), next.describe()))
			return newTable(o) // detached, so that the keys in it cause no further findings
		case next.table.origin == inline, o == dotted && next.table.origin == header:
			d.report(p.at, fmt.Sprintf("table %s is already defined", quote(p.name)), fmt.Sprintf("add to it on line %d", d.line(next.at)))
			return newTable(o)
		}
		t = next.table
	}
	return t
}

// set adds `key = value` to a table.
func (d *document) set(t *table, n *unstable.Node) {
	path := d.keyPath(n.Key())
	last := path[len(path)-1]
	t = d.descend(t, path[:len(path)-1], dotted)
	if old := t.index[last.name]; old != nil {
		d.report(last.at, "duplicate key "+quote(last.name), fmt.Sprintf("it is first set on line %d", d.line(old.at)))
	}
	t.add(last.name, last.at, d.newValue(n.Value(), last.at))
}

// newValue converts a node of the parser. The parser does not report where a list starts, so a list
// has the position of the key it belongs to.
func (d *document) newValue(n *unstable.Node, keyAt int) *value {
	v := &value{at: keyAt, kind: n.Kind, text: string(n.Data)}
	if n.Kind != unstable.Array {
		v.at = d.base + int(n.Raw.Offset)
	}
	switch n.Kind {
	case unstable.String:
		v.text = strings.ReplaceAll(v.text, "\r\n", "\n")
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			v.items = append(v.items, d.newValue(it.Node(), keyAt))
		}
	case unstable.InlineTable:
		v.table = newTable(inline)
		for it := n.Children(); it.Next(); {
			d.set(v.table, it.Node())
		}
	}
	return v
}

// short returns a value for a message that does not need its type.
func (v *value) short() string {
	if v.kind == unstable.String {
		return quote(v.text)
	}
	return v.describe()
}

// describe returns the type of a value, and the value if it is short: `the string "22"`.
func (v *value) describe() string {
	switch v.kind {
	case unstable.String:
		return "the string " + quote(v.text)
	case unstable.Integer, unstable.Float:
		return "the number " + v.text
	case unstable.Bool:
		return v.text
	case unstable.Array:
		return "a list"
	case unstable.Table, unstable.InlineTable:
		return "a table"
	}
	return "the date " + v.text
}
