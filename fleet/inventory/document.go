package inventory

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// table is a TOML table as the file has it, in its order, with the place of everything.
type table struct {
	entries []*entry          // what was set twice is here twice
	index   map[string]*entry // the first of each name
	origin  origin
}

// origin is how a table came to be, which decides whether the file may go on to add to it.
type origin int

const (
	implied origin = iota // [a.b] implies a: [a] may follow
	header                // [a]
	dotted                // a.b = 1 within a table
	inline                // { b = 1 }
)

type entry struct {
	name string
	at   int // offset of the name
	*value
}

// value is one of a text, a number (or date, or boolean) as written, a list or a table.
type value struct {
	at    int // offset of the value
	kind  unstable.Kind
	text  string
	items []*value
	open  bool // a list of tables that a [[header]] may go on to lengthen
	table *table
}

func newTable(o origin) *table { return &table{index: make(map[string]*entry), origin: o} }

// get is the value of a key, nil where the table has none.
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

// document grows the tree of tables out of the parser's expressions.
type document struct {
	*notebook
	parser  unstable.Parser
	base    int // offset of the parser's input in the file
	root    *table
	current *table
	broken  bool // something could not be read, so what is missing may be there
}

// readDocument reads all of a file that is TOML. After a fault in the syntax it goes on at the next [table].
func readDocument(file string, data []byte) *document {
	n, readable := decoded(file, data)
	d := &document{notebook: n, root: newTable(header), broken: !readable}
	for readable && d.base < len(n.text) {
		d.current = d.root
		d.parser.Reset(n.text[d.base:])
		for d.parser.NextExpression() {
			d.expression(d.parser.Expression())
		}
		if d.parser.Error() == nil {
			break
		}
		d.broken = true
		d.base = d.nextTable(d.syntaxError(d.parser.Error()))
	}
	return d
}

func (d *document) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.KeyValue:
		d.set(d.current, n)
	case unstable.ArrayTable:
		d.current = d.lengthen(d.path(n.Key()))
	default:
		d.current = d.open(d.path(n.Key()))
	}
}

// part is one part of a dotted key.
type part struct {
	name string
	at   int
}

func (d *document) path(it unstable.Iterator) []part {
	var parts []part
	for it.Next() {
		parts = append(parts, part{string(it.Node().Data), d.base + int(it.Node().Raw.Offset)})
	}
	return parts
}

func joined(path []part) string {
	names := make([]string, len(path))
	for i, p := range path {
		names[i] = p.name
	}
	return strings.Join(names, ".")
}

// open is the table that a [header] begins.
func (d *document) open(path []part) *table {
	last := len(path) - 1
	t := d.descend(d.root, path[:last], implied)
	name, at := path[last].name, path[last].at
	old := t.index[name]
	switch {
	case old != nil && old.table != nil && old.table.origin == implied:
		old.table.origin, old.at = header, at
		return old.table
	case old != nil && len(path) == 2 && path[0].name == "hosts":
		d.note(at, fmt.Sprintf("host %s is there twice", quote(name)), fmt.Sprintf("the first is on line %d", d.line(old.at)))
	case old != nil:
		d.note(at, fmt.Sprintf("[%s] is there twice", joined(path)), fmt.Sprintf("the first is on line %d", d.line(old.at)))
	}
	return t.add(name, at, &value{at: at, kind: unstable.Table, table: newTable(header)}).table
}

// lengthen is the table that a [[header]] adds to a list.
func (d *document) lengthen(path []part) *table {
	last := len(path) - 1
	t := d.descend(d.root, path[:last], implied)
	name, at := path[last].name, path[last].at
	old := t.index[name]
	if old == nil {
		old = t.add(name, at, &value{at: at, kind: unstable.Array, open: true})
	} else if !old.open {
		d.note(at, fmt.Sprintf("[[%s]] adds to a list that is complete", joined(path)), fmt.Sprintf("line %d sets it to %s", d.line(old.at), old.describe()))
		return newTable(header)
	}
	added := &value{at: at, kind: unstable.Table, table: newTable(header)}
	old.items = append(old.items, added)
	return added.table
}

// descend walks down a dotted key, making the tables that are not there yet.
func (d *document) descend(t *table, path []part, o origin) *table {
	for _, p := range path {
		old := t.index[p.name]
		switch {
		case old == nil:
			old = t.add(p.name, p.at, &value{at: p.at, kind: unstable.Table, table: newTable(o)})
		case old.open:
			t = old.items[len(old.items)-1].table
			continue
		case old.table == nil:
			d.note(p.at, fmt.Sprintf("%s is no table here", quote(p.name)), fmt.Sprintf("line %d sets it to %s", d.line(old.at), old.describe()))
			return newTable(o) // its keys have no place, so nothing more is said of them
		case old.table.origin == inline, o == dotted && old.table.origin == header:
			d.note(p.at, fmt.Sprintf("%s is a table already, and complete", quote(p.name)), fmt.Sprintf("add to it on line %d", d.line(old.at)))
			return newTable(o)
		}
		t = old.table
	}
	return t
}

// set reads `key = value` into a table.
func (d *document) set(t *table, n *unstable.Node) {
	path := d.path(n.Key())
	last := path[len(path)-1]
	t = d.descend(t, path[:len(path)-1], dotted)
	if old := t.index[last.name]; old != nil {
		d.note(last.at, fmt.Sprintf("%s is set twice", quote(last.name)), fmt.Sprintf("the first is on line %d", d.line(old.at)))
	}
	t.add(last.name, last.at, d.value(n.Value(), last.at))
}

// value reads a value. The parser does not say where a list begins: its place is that of what it belongs to.
func (d *document) value(n *unstable.Node, at int) *value {
	v := &value{at: at, kind: n.Kind, text: string(n.Data)}
	if n.Kind != unstable.Array {
		v.at = d.base + int(n.Raw.Offset)
	}
	switch n.Kind {
	case unstable.String:
		v.text = strings.ReplaceAll(v.text, "\r\n", "\n")
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			v.items = append(v.items, d.value(it.Node(), at))
		}
	case unstable.InlineTable:
		v.table = newTable(inline)
		for it := n.Children(); it.Next(); {
			d.set(v.table, it.Node())
		}
	}
	return v
}

// short is a value where it stands in a sentence of its own.
func (v *value) short() string {
	if v.kind == unstable.String {
		return quote(v.text)
	}
	return v.describe()
}

// describe names a value's type and, where it is short, the value: `the string "22"`.
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
