package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/tui"
)

// pager prepares the operator's pager, $PAGER or less, for a text.
func (c *tableController) pager(p tui.Page) (*exec.Cmd, error) {
	text, err := c.pageText(p)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(c.ctx, "/bin/sh", "-c", cmp.Or(c.env.Getenv("PAGER"), "less"))
	// With F, which git's users often have in LESS, a text that fits on the screen is gone
	// before it is seen: the table is drawn again.
	cmd.Env = append(slices.Clone(c.env.Environ), "LESS="+c.env.Getenv("LESS")+" -+F")
	cmd.Stdin = text
	return cmd, nil
}

// pageText returns the text of a page.
func (c *tableController) pageText(p tui.Page) (io.Reader, error) {
	if p.Lines != nil {
		var text bytes.Buffer
		for _, l := range p.Lines {
			text.WriteString(l.Line + "\n")
		}
		return &text, nil
	}
	rec, err := c.recordOf(p)
	if err != nil {
		return nil, err
	}
	hosts := []string{p.Host}
	if p.Host == "" {
		hosts = rec.LogHosts()
	}
	return &recordText{rec: rec, hosts: hosts}, nil
}

// recordOf returns the record of a page's run or, if it names none, the newest one with a log of
// its host.
func (c *tableController) recordOf(p tui.Page) (*record.Record, error) {
	if p.Run != "" {
		return c.env.records().Open(p.Run)
	}
	records, err := c.env.records().List()
	if err != nil {
		return nil, err
	}
	for _, rec := range records[:min(len(records), maxRecords)] {
		if slices.Contains(rec.LogHosts(), p.Host) {
			return rec, nil
		}
	}
	return nil, fmt.Errorf("no run of %s is recorded", p.Host)
}

// recordText reads the logs of hosts from the record of a run as they are needed: a log may be too
// large for the memory.
type recordText struct {
	rec   *record.Record
	hosts []string
}

// Read returns io.EOF: the input of a command is copied with WriteTo.
func (*recordText) Read([]byte) (int, error) { return 0, io.EOF }

// WriteTo writes the logs, each after a line with the host's name if there are several. Once the
// reader has left, the rest is not written.
func (t *recordText) WriteTo(w io.Writer) (int64, error) {
	out := bufio.NewWriter(w)
	for i, host := range t.hosts {
		if len(t.hosts) > 1 {
			if i > 0 {
				fmt.Fprintln(out)
			}
			fmt.Fprintf(out, "==> %s <==\n", host)
		}
		err := t.rec.Lines(host, func(stream, line string) {
			if stream == "warn" {
				line = "warning: " + line
			}
			fmt.Fprintln(out, line)
		})
		if err != nil {
			fmt.Fprintln(out, "fleetctl:", err)
		}
	}
	return 0, out.Flush()
}

// edit prepares the operator's editor, $VISUAL, $EDITOR or vi, for the inventory.
func (c *tableController) edit() (cmd *exec.Cmd, read func() (tui.Edited, error), err error) {
	path := c.inv.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.env.Dir, path)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot edit the inventory: %w", err)
	}
	editor := cmp.Or(c.env.Getenv("VISUAL"), c.env.Getenv("EDITOR"), "vi")
	// The editor may be a command with arguments, as for git.
	cmd = exec.CommandContext(c.ctx, "/bin/sh", "-c", editor+` "$@"`, editor, path)
	cmd.Dir, cmd.Env = c.env.Dir, c.env.Environ
	return cmd, func() (tui.Edited, error) { return readEdited(path, before) }, nil
}

// readEdited reads the inventory again after the operator has edited it.
func readEdited(path string, before []byte) (tui.Edited, error) {
	e := tui.Edited{Name: filepath.Base(path)}
	after, err := os.ReadFile(path)
	if err != nil {
		return e, err
	}
	e.Changed = !bytes.Equal(before, after)
	_, findings, err := inventory.Load(path)
	if err != nil {
		return e, errors.New(clean.Line([]byte(err.Error())))
	}
	for _, f := range findings {
		text := fmt.Sprintf("line %d: %s", f.Line, clean.Line([]byte(f.Message)))
		if f.Hint != "" {
			text += "\n  " + clean.Line([]byte(f.Hint))
		}
		e.Findings = append(e.Findings, text)
	}
	return e, nil
}
