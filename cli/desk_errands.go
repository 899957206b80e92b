package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/tui"
)

// generations are those of a host.
func (d *desk) generations(name string) ([]host.Generation, error) {
	h := d.inv.Host(name)
	found, err := host.Generations(d.ctx, d.engine.Dialer, h)
	if err != nil {
		return nil, errors.New(clean.Line([]byte(withoutName(err.Error(), h))))
	}
	return found, nil
}

// plan asks hosts what a deploy would do there.
func (d *desk) plan(names []string, o fleet.Options, build bool) error {
	hosts := d.hosts(names)
	plan, err := fleet.NewPlan(d.inv, hosts, o, d.env.operator())
	if err != nil {
		return err
	}
	d.do(func() {
		rev := d.env.resolve(d.ctx, plan)
		host.Each(d.ctx, hosts, plan.Parallel, func(ctx context.Context, h *inventory.Host) {
			f := host.Foresee(ctx, d.engine.Dialer, plan, h, rev, build)
			if ctx.Err() == nil {
				d.table.Plan(h.Name, tablePlan(forecastText(d.env.Now(), plan, h, f)))
			}
		})
	})
	return nil
}

// tablePlan is a plan as the table paints it.
func tablePlan(plan []planText) []tui.Text {
	var lines []tui.Text
	for _, l := range plan {
		text := clean.Line([]byte(strings.Join(someOf(l.text, l.aside), "  ")))
		switch l.kind {
		case planTitle:
			lines = append(lines, tui.Text{Stream: "note", Line: text})
		case planWrong:
			lines = append(lines, tui.Text{Stream: "warn", Line: "✗ " + text})
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

// reboot has hosts start anew, wave after wave. How it goes is in their logs.
func (d *desk) reboot(names []string) error {
	hosts := d.hosts(names)
	o := host.RebootOptions{Limit: rebootLimit, Parallel: d.inv.Parallel, SudoPassword: d.engine.SudoPassword}
	for _, h := range hosts {
		d.table.Doing(h.Name, "rebooting")
		d.say(h.Name, "note", "to be rebooted")
	}
	d.do(func() {
		back := 0
		host.Reboot(d.ctx, d.engine.Dialer, d.inv, hosts, o, func(r host.RebootResult) {
			stream, text := "warn", "reboot: "+string(r.Word)
			if r.Word == host.Rebooted {
				stream, text = "note", fmt.Sprintf("rebooted in %.0f s", r.Seconds)
				back++
			}
			for _, more := range []string{r.Reason, r.Hint} {
				if more != "" {
					text += ": " + more
				}
			}
			d.say(r.Host, stream, text)
			d.table.Doing(r.Host, "")
			d.eyes.Refresh(r.Host)
		})
		d.table.Note(fmt.Sprintf("reboot: %d of %s back", back, count(len(hosts), "host")))
	})
	return nil
}

// exec runs a command on hosts; what it prints goes to their logs.
func (d *desk) exec(names []string, command string) error {
	hosts := d.hosts(names)
	d.do(func() {
		host.Each(d.ctx, hosts, d.inv.Parallel, func(ctx context.Context, h *inventory.Host) {
			say := func(stream, line string) { d.say(h.Name, stream, line) }
			say("note", "$ "+command)
			out, err := tellLines(say), tellLines(say)
			result := execOn(ctx, 0, d.engine.Dialer, h, host.Command{Stdout: out, Stderr: err}, command)
			out.close()
			err.close()
			switch {
			case result.err != nil:
				say("warn", withoutName(result.err.Error(), h))
			case result.exit != 0:
				say("warn", fmt.Sprintf("exit status %d", result.exit))
			}
		})
		d.table.Note(fmt.Sprintf("%s: done on %s", command, count(len(hosts), "host")))
	})
	return nil
}

// tellLines is a lineWriter that tells each line, and writes nothing.
func tellLines(say func(stream, line string)) *lineWriter {
	return &lineWriter{format: func(dst []byte, line string) []byte {
		say("out", line)
		return dst
	}}
}

// shell is ssh itself, which then has the terminal.
func (d *desk) shell(host string) (*exec.Cmd, error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		return nil, fmt.Errorf("there is no ssh in PATH")
	}
	ssh := exec.CommandContext(d.ctx, path, append(d.pool.ConfigArgs(), sshArgs(d.inv.Host(host), nil)...)...)
	ssh.Env = d.env.Environ
	return ssh, nil
}
