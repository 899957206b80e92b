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
	"github.com/markus-barta/nixfleet/internal/clean"
)

// execPrinter prints the output of a command on many hosts: by line with the host's name, equal
// output grouped, or as JSON. streams and finished are called for each host from its own goroutine.
type execPrinter interface {
	streams(h *inventory.Host) (out, err *lineWriter)
	finished(h *inventory.Host, r execResult)
	close()
}

func newExecPrinter(env *Env, o execOptions, hosts []*inventory.Host) execPrinter {
	labels := newLabels(env, hosts)
	switch {
	case o.output == outputJSON:
		return &execJSON{out: &lockedWriter{w: env.Out}}
	case o.group:
		return &execGroups{env: env, labels: labels, hosts: hosts, err: &lockedWriter{w: env.Err}, output: make(map[string]*bytes.Buffer)}
	}
	return &execLines{labels: labels, out: &lockedWriter{w: env.Out}, err: &lockedWriter{w: env.Err}}
}

// labels are the prefixes of hosts' lines: their names, padded to one width, in the host's color on
// a terminal.
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

// execLines prints each line as it arrives.
type execLines struct {
	labels   labels
	out, err *lockedWriter
}

func (p *execLines) streams(h *inventory.Host) (out, err *lineWriter) {
	return &lineWriter{out: p.out, format: prefixed(p.labels.of(h, p.labels.env.OutTTY))},
		&lineWriter{out: p.err, format: prefixed(p.labels.of(h, p.labels.env.ErrTTY))}
}
func (*execLines) finished(*inventory.Host, execResult) {}
func (*execLines) close()                               {}

// execGroups keeps the standard output of hosts until all have finished, and prints equal output
// once. It prints standard error as it arrives.
type execGroups struct {
	env    *Env
	labels labels
	hosts  []*inventory.Host
	err    *lockedWriter

	mu     sync.Mutex
	output map[string]*bytes.Buffer
}

func (p *execGroups) streams(h *inventory.Host) (out, err *lineWriter) {
	output := new(bytes.Buffer)
	p.mu.Lock()
	p.output[h.Name] = output
	p.mu.Unlock()
	return &lineWriter{out: output, format: prefixed("")},
		&lineWriter{out: p.err, format: prefixed(p.labels.of(h, p.env.ErrTTY))}
}

func (*execGroups) finished(*inventory.Host, execResult) {}

func (p *execGroups) close() {
	var texts []string // in the order of their first hosts
	names := make(map[string][]string)
	palette := p.env.palette(p.env.OutTTY)
	for _, h := range p.hosts {
		output := p.output[h.Name]
		if output == nil || output.Len() == 0 {
			continue
		}
		text := output.String()
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

// execJSON prints an object for each line of output, and one for each host when it has finished.
type execJSON struct{ out *lockedWriter }

type (
	execLine struct {
		Host   string `json:"host"`
		Stream string `json:"stream"` // out or err
		Line   string `json:"line"`
	}
	execEnd struct {
		Host  string `json:"host"`
		Exit  *int   `json:"exit,omitempty"`  // absent if it is unknown
		Error string `json:"error,omitempty"` // why it is unknown
		// bytes of output that are left out, because it was longer than max_log
		Omitted int64 `json:"omitted,omitempty"`
	}
)

func (p *execJSON) streams(h *inventory.Host) (out, err *lineWriter) {
	stream := func(name string) *lineWriter {
		return &lineWriter{out: p.out, format: func(dst, line []byte) []byte {
			return appendJSON(dst, execLine{h.Name, name, string(line)})
		}}
	}
	return stream("out"), stream("err")
}

func (p *execJSON) finished(h *inventory.Host, r execResult) {
	end := execEnd{Host: h.Name, Omitted: r.omitted}
	if r.err != nil {
		end.Error = clean.Line([]byte(r.err.Error()))
	} else {
		end.Exit = &r.exit
	}
	_, _ = p.out.Write(appendJSON(nil, end))
}

func (*execJSON) close() {}

func appendJSON(dst []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return dst // strings and numbers always marshal
	}
	return append(append(dst, text...), '\n')
}
