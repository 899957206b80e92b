package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// execPrinter shows what a command prints on many hosts: by line with the host's name, or grouped where equal, or as JSON.
type execPrinter interface {
	streams(h *inventory.Host) (out, err *lineWriter) // called for each host from its own goroutine
	ended(h *inventory.Host, r execResult)
	finish()
}

func newExecPrinter(env *Env, o execOptions, hosts []*inventory.Host) execPrinter {
	labels := newLabels(env, hosts)
	switch {
	case o.output == outputJSON:
		return &execJSON{out: &lockedWriter{w: env.Out}}
	case o.group:
		return &execGroups{env: env, labels: labels, hosts: hosts, err: &lockedWriter{w: env.Err}, said: make(map[string]*bytes.Buffer)}
	}
	return &execLines{labels: labels, out: &lockedWriter{w: env.Out}, err: &lockedWriter{w: env.Err}}
}

// labels are hosts' names as they stand before lines: of one width, in the host's own colour on a terminal.
type labels struct {
	env   *Env
	width int
}

func newLabels(env *Env, hosts []*inventory.Host) labels {
	l := labels{env: env}
	for _, h := range hosts {
		l.width = max(l.width, len(h.Name))
	}
	return l
}

func (l labels) of(h *inventory.Host, tty bool) string {
	padding := strings.Repeat(" ", l.width-len(h.Name))
	return l.env.palette(tty).Host(h.Color).Paint(h.Name) + padding + " | "
}

// execLines prints each line as it comes.
type execLines struct {
	labels   labels
	out, err *lockedWriter
}

func (p *execLines) streams(h *inventory.Host) (out, err *lineWriter) {
	return &lineWriter{out: p.out, format: prefixed(p.labels.of(h, p.labels.env.OutTTY))},
		&lineWriter{out: p.err, format: prefixed(p.labels.of(h, p.labels.env.ErrTTY))}
}
func (*execLines) ended(*inventory.Host, execResult) {}
func (*execLines) finish()                           {}

// execGroups keeps what hosts print until all have ended, and shows what is equal once. Standard error does not wait.
type execGroups struct {
	env    *Env
	labels labels
	hosts  []*inventory.Host
	err    *lockedWriter

	mu   sync.Mutex
	said map[string]*bytes.Buffer
}

func (p *execGroups) streams(h *inventory.Host) (out, err *lineWriter) {
	said := new(bytes.Buffer)
	p.mu.Lock()
	p.said[h.Name] = said
	p.mu.Unlock()
	return &lineWriter{out: said, format: prefixed("")},
		&lineWriter{out: p.err, format: prefixed(p.labels.of(h, p.env.ErrTTY))}
}

func (*execGroups) ended(*inventory.Host, execResult) {}

func (p *execGroups) finish() {
	var texts []string // in the order of the first host of each
	names := make(map[string][]string)
	palette := p.env.palette(p.env.OutTTY)
	for _, h := range p.hosts {
		said, begun := p.said[h.Name]
		if !begun || said.Len() == 0 {
			continue
		}
		text := said.String()
		if names[text] == nil {
			texts = append(texts, text)
		}
		names[text] = append(names[text], palette.Host(h.Color).Paint(h.Name))
	}
	out := bufio.NewWriter(p.env.Out)
	defer out.Flush()
	for _, text := range texts {
		hosts := names[text]
		fmt.Fprintf(out, "%s (%s)\n", strings.Join(hosts, ", "), count(len(hosts), "host"))
		for line := range strings.Lines(text) {
			io.WriteString(out, "  "+line)
		}
	}
}

// execJSON prints an object a line, and one for each host's end.
type execJSON struct{ out *lockedWriter }

type (
	execLine struct {
		Host   string `json:"host"`
		Stream string `json:"stream"` // out or err
		Line   string `json:"line"`
	}
	execEnd struct {
		Host  string `json:"host"`
		Exit  *int   `json:"exit,omitempty"`  // absent where the end was not seen
		Error string `json:"error,omitempty"` // and this says why
	}
)

func (p *execJSON) streams(h *inventory.Host) (out, err *lineWriter) {
	stream := func(name string) *lineWriter {
		return &lineWriter{out: p.out, format: func(dst []byte, line string) []byte {
			return appendJSON(dst, execLine{h.Name, name, line})
		}}
	}
	return stream("out"), stream("err")
}

func (p *execJSON) ended(h *inventory.Host, r execResult) {
	end := execEnd{Host: h.Name}
	if r.err != nil {
		end.Error = r.err.Error()
	} else {
		end.Exit = &r.exit
	}
	p.out.Write(appendJSON(nil, end))
}

func (*execJSON) finish() {}

func appendJSON(dst []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return dst // strings and numbers always marshal
	}
	return append(append(dst, text...), '\n')
}
