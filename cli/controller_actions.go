package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/tui"
)

// generations returns a host's generations.
func (c *tableController) generations(name string) ([]host.Generation, error) {
	h := c.inv.Host(name)
	found, err := c.client.Generations(c.ctx, h)
	if err != nil {
		return nil, errors.New(clean.Line([]byte(withoutName(err.Error(), h))))
	}
	return found, nil
}

// plan shows what a deploy would do on the hosts. With build, each host builds the configuration as
// well.
func (c *tableController) plan(names []string, o fleet.Options, build bool) error {
	hosts := c.hosts(names)
	plan, err := fleet.NewPlan(c.inv, hosts, o, c.env.operator())
	if err != nil {
		return err
	}
	c.background(func() {
		if rev, err := engine.LookUp(c.ctx, c.env.localGit, plan); err == nil {
			plan.Pinned = rev // otherwise each host looks up its own
		}
		host.Each(c.ctx, hosts, plan.Parallel, func(ctx context.Context, h *inventory.Host) {
			f := c.client.Preview(ctx, plan, h, build)
			if ctx.Err() == nil {
				c.table.Plan(h.Name, tablePlan(previewText(c.env.Now(), plan, h, f)))
			}
		})
	})
	return nil
}

// tablePlan converts a plan to lines of the table.
func tablePlan(plan []planText) []tui.Text {
	var lines []tui.Text
	for _, l := range plan {
		text := clean.Line([]byte(strings.Join(someOf(l.text, l.detail), "  ")))
		switch l.kind {
		case planTitle:
			lines = append(lines, tui.Text{Stream: "note", Line: text})
		case planProblem:
			lines = append(lines, tui.Text{Stream: "warn", Line: "✗ " + text})
		case planWarning:
			lines = append(lines, tui.Text{Stream: "warn", Line: "warning: " + text})
		case planAway:
			lines = append(lines, tui.Text{Stream: "out", Line: "- away: " + text})
		case planHint:
			lines = append(lines, tui.Text{Stream: "out", Line: "  hint: " + text})
		default:
			lines = append(lines, tui.Text{Stream: "out", Line: "  " + text})
		}
	}
	return lines
}

// reboot reboots hosts wave after wave. The results go to the hosts' logs.
func (c *tableController) reboot(names []string) error {
	hosts := c.hosts(names)
	for _, h := range hosts {
		c.table.Activity(h.Name, "rebooting")
		c.addLogLine(h.Name, "note", "waiting to reboot")
	}
	c.background(func() {
		rebooted := 0
		c.client.Reboot(c.ctx, hosts, host.RebootOptions{Limit: rebootTimeout}, func(r host.RebootResult) {
			stream, text := "warn", "reboot: "+string(r.Outcome)
			if r.Outcome == host.Rebooted {
				stream, text = "note", fmt.Sprintf("rebooted in %.0f s", r.Seconds)
				rebooted++
			}
			for _, detail := range []string{r.Reason, r.Hint} {
				if detail != "" {
					text += ": " + detail
				}
			}
			c.addLogLine(r.Host, stream, text)
			c.table.Activity(r.Host, "")
			c.monitor.Refresh(r.Host)
		})
		c.table.Note(fmt.Sprintf("reboot: %d of %s back online", rebooted, count(len(hosts), "host")))
	})
	return nil
}

// exec runs a command on hosts. Its output goes to their logs and, if there are several hosts, is
// shown together.
func (c *tableController) exec(names []string, command string) error {
	hosts := c.hosts(names)
	c.background(func() {
		collected := make(map[string]*collectedOutput, len(hosts))
		for _, h := range hosts {
			collected[h.Name] = &collectedOutput{HostOutput: tui.HostOutput{Host: h.Name}}
		}
		host.Each(c.ctx, hosts, c.inv.Parallel, func(ctx context.Context, h *inventory.Host) {
			output := collected[h.Name]
			c.addLogLine(h.Name, "note", "$ "+command)
			emit := func(stream, line string) {
				c.addLogLine(h.Name, stream, line)
				output.add(line)
			}
			stdout, stderr := outputLines(emit), outputLines(emit)
			result := execOn(ctx, 0, c.engine.Dialer, h, host.Command{Stdout: stdout, Stderr: stderr}, command)
			stdout.close()
			stderr.close()
			switch {
			case result.err != nil:
				output.Problem = clean.Line([]byte(withoutName(result.err.Error(), h)))
			case result.exit != 0:
				output.Problem = fmt.Sprintf("exit status %d", result.exit)
			}
			if output.Problem != "" {
				c.addLogLine(h.Name, "warn", output.Problem)
			}
		})
		if c.ctx.Err() == nil && len(hosts) > 1 {
			o := tui.Output{Command: command}
			for _, h := range hosts {
				o.Hosts = append(o.Hosts, collected[h.Name].HostOutput)
			}
			c.table.Output(o)
		}
		c.table.Note(fmt.Sprintf("%s: finished on %s", command, count(len(hosts), "host")))
	})
	return nil
}

// maxOutputLines is how many lines of a host's output are compared with those of other hosts.
const maxOutputLines = 500

// collectedOutput collects the output of a command on a host, whose streams are read at the same
// time.
type collectedOutput struct {
	mu sync.Mutex
	tui.HostOutput
}

func (o *collectedOutput) add(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.Lines) == maxOutputLines {
		o.Omitted++
		return
	}
	o.Lines = append(o.Lines, line)
}

// outputLines returns a lineWriter that passes each line to emit as a line of the stream "out", and
// writes nothing.
func outputLines(emit func(stream, line string)) *lineWriter {
	return &lineWriter{format: func(dst, line []byte) []byte {
		emit("out", string(line))
		return dst
	}}
}

// shell returns the command that opens a shell on a host. It takes over the terminal.
func (c *tableController) shell(name string) (*exec.Cmd, error) {
	return c.env.shellCommand(c.ctx, c.pool, c.inv.Host(name), nil)
}

// localCommand prepares a command of the operator about a host. Its environment has FLEETCTL_HOST,
// FLEETCTL_ADDRESS, FLEETCTL_USER, FLEETCTL_PORT, FLEETCTL_KIND, FLEETCTL_TAGS, and
// FLEETCTL_INVENTORY, so that fleetctl itself finds the same fleet. A value that the inventory does
// not have is empty.
func (c *tableController) localCommand(name, command string) (*exec.Cmd, error) {
	h := c.inv.Host(name)
	port := ""
	if h.Port > 0 {
		port = strconv.Itoa(h.Port)
	}
	cmd := exec.CommandContext(c.ctx, "/bin/sh", "-c", command)
	path := c.inv.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.env.Dir, path)
	}
	cmd.Dir = filepath.Dir(path)
	cmd.Env = append(slices.Clone(c.env.Environ), "FLEETCTL_HOST="+h.Name, "FLEETCTL_ADDRESS="+cmp.Or(h.Address, h.Name), "FLEETCTL_USER="+h.User,
		"FLEETCTL_PORT="+port, "FLEETCTL_KIND="+string(h.Kind), "FLEETCTL_TAGS="+strings.Join(h.Tags, " "), "FLEETCTL_INVENTORY="+path)
	return cmd, nil
}
