package main

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

// A chart is a flowchart in Mermaid's language. Only the part exists that the documentation uses:
// direction LR, nodes with labels, and the arrows --> and <-->, which may have labels.
type chart struct {
	nodes map[string]*node
	order []*node // as they appear
	edges []edge
}

type node struct {
	id    string
	lines []string // of its label

	rank                int     // its column
	x, y, width, height float64 // of its box
}

type edge struct {
	from, to *node
	label    string
	both     bool // it has two heads
}

var (
	chartNode  = regexp.MustCompile(`^\s*([a-z]+)(?:\["([^"]*)"\]|\[([^\]]*)\])?\s*`)
	chartArrow = regexp.MustCompile(`^(<?)-->(?:\|([^|]*)\|)?`)
)

// flowchart returns a chart as SVG.
func flowchart(source string) (string, error) {
	c, err := parseChart(source)
	if err != nil {
		return "", err
	}
	c.layOut()
	return c.svg(), nil
}

func parseChart(source string) (*chart, error) {
	lines := strings.Split(strings.TrimSpace(source), "\n")
	if lines[0] != "flowchart LR" {
		return nil, fmt.Errorf("the chart starts with %q, and only \"flowchart LR\" can be drawn", lines[0])
	}
	c := &chart{nodes: make(map[string]*node)}
	for _, line := range lines[1:] {
		rest := line
		from := c.node(&rest)
		for from != nil && rest != "" {
			arrow := chartArrow.FindStringSubmatch(rest)
			if arrow == nil {
				from = nil
				break
			}
			rest = rest[len(arrow[0]):]
			to := c.node(&rest)
			if to == nil {
				from = nil
				break
			}
			c.edges = append(c.edges, edge{from: from, to: to, label: arrow[2], both: arrow[1] != ""})
			from = to
		}
		if from == nil {
			return nil, fmt.Errorf("cannot draw the line %q of the chart", strings.TrimSpace(line))
		}
	}
	return c, nil
}

// node returns the node at the start of the rest of a line, and removes it from there. It returns
// nil if there is none.
func (c *chart) node(rest *string) *node {
	match := chartNode.FindStringSubmatch(*rest)
	if match == nil {
		return nil
	}
	*rest = (*rest)[len(match[0]):]
	n := c.nodes[match[1]]
	if n == nil {
		n = &node{id: match[1], lines: []string{match[1]}}
		c.nodes[n.id] = n
		c.order = append(c.order, n)
	}
	if label := match[2] + match[3]; label != "" {
		n.lines = strings.Split(label, "<br>")
	}
	return n
}

// layOut sets the place of each node: its column depends on the length of the longest way to it,
// and its row on those of its neighbors.
func (c *chart) layOut() {
	for range c.order { // more rounds would only follow a cycle
		for _, e := range c.edges {
			e.to.rank = max(e.to.rank, min(e.from.rank+1, len(c.order)))
		}
	}
	last := 0
	for _, n := range c.order {
		last = max(last, n.rank)
	}
	// A node with slack is next to the node that it leads to.
	byRank := slices.Clone(c.order)
	slices.SortStableFunc(byRank, func(a, b *node) int { return b.rank - a.rank })
	columns := make([][]*node, last+1)
	for _, n := range byRank {
		latest := last + 1
		for _, e := range c.edges {
			if e.from == n {
				latest = min(latest, e.to.rank)
			}
		}
		if latest <= last {
			n.rank = max(n.rank, latest-1)
		}
	}
	for _, n := range c.order {
		columns[n.rank] = append(columns[n.rank], n)
	}

	const rowGap, columnGap, letter, line = 16.0, 26.0, 6.7, 16.0
	x := 2.0
	for i, column := range columns {
		widest, y := 0.0, 0.0
		for _, n := range column {
			for _, text := range n.lines {
				n.width = max(n.width, float64(len([]rune(text)))*letter+16)
			}
			n.height = float64(len(n.lines))*line + 12
			widest = max(widest, n.width)
			n.y, y = y, y+n.height+rowGap
		}
		labels := 0.0
		for _, e := range c.edges {
			if e.from.rank == i {
				labels = max(labels, float64(len(e.label))*letter)
			}
		}
		for _, n := range column {
			n.x, n.width = x, widest
		}
		x += widest + max(columnGap, labels+14)
	}
	for range 4 {
		for _, column := range columns {
			c.straighten(column, rowGap)
		}
		for _, column := range slices.Backward(columns) {
			c.straighten(column, rowGap)
		}
	}
	top := c.order[0].y
	for _, n := range c.order {
		top = min(top, n.y)
	}
	for _, n := range c.order {
		n.y += 2 - top
	}
}

// straighten moves the nodes of a column to the mean height of their neighbors, without overlaps.
func (c *chart) straighten(column []*node, gap float64) {
	ideal := make(map[*node]float64)
	for _, n := range column {
		sum, count := 0.0, 0.0
		for _, e := range c.edges {
			if other := map[*node]*node{e.from: e.to, e.to: e.from}[n]; other != nil {
				sum, count = sum+other.y+other.height/2, count+1
			}
		}
		ideal[n] = n.y + n.height/2
		if count > 0 {
			ideal[n] = sum / count
		}
	}
	slices.SortStableFunc(column, func(a, b *node) int { return int(ideal[a] - ideal[b]) })
	shift, y := 0.0, 0.0
	for i, n := range column {
		n.y = ideal[n] - n.height/2
		if i > 0 {
			n.y = max(n.y, y)
		}
		shift += ideal[n] - n.height/2 - n.y
		y = n.y + n.height + gap
	}
	for _, n := range column { // what was pushed down is shared by all
		n.y += shift / float64(len(column))
	}
}

func (c *chart) svg() string {
	width, height := 0.0, 0.0
	for _, n := range c.order {
		width, height = max(width, n.x+n.width+2), max(height, n.y+n.height+2)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" role="img" aria-label="%s" viewBox="0 0 %.0f %.0f">`, html.EscapeString(c.describe()), width, height)
	b.WriteString(`<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker>`)
	for _, e := range c.edges {
		x1, y1, x2, y2 := e.from.x+e.from.width, e.from.y+e.from.height/2, e.to.x, e.to.y+e.to.height/2
		start := ""
		if e.both {
			start = ` marker-start="url(#head)"`
		}
		fmt.Fprintf(&b, `<path class="edge"%s marker-end="url(#head)" d="M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f"/>`,
			start, x1, y1, (x1+x2)/2, y1, (x1+x2)/2, y2, x2, y2)
		if e.label != "" {
			fmt.Fprintf(&b, `<text class="label" x="%.0f" y="%.0f">%s</text>`, (x1+x2)/2, (y1+y2)/2-5, html.EscapeString(e.label))
		}
	}
	for _, n := range c.order {
		fmt.Fprintf(&b, `<rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="5"/>`, n.x, n.y, n.width, n.height)
		for i, line := range n.lines {
			fmt.Fprintf(&b, `<text x="%.0f" y="%.0f">%s</text>`, n.x+n.width/2, n.y+18+16*float64(i), html.EscapeString(line))
		}
	}
	b.WriteString("</svg>")
	return b.String()
}

// describe returns the edges of the chart as text.
func (c *chart) describe() string {
	var parts []string
	for _, e := range c.edges {
		parts = append(parts, strings.Join(e.from.lines, " ")+" to "+strings.Join(e.to.lines, " "))
	}
	return strings.Join(parts, "; ")
}
