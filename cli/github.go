package cli

import (
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
)

// inGitHubActions reports whether standard output is the log of a GitHub workflow.
func (env *Env) inGitHubActions() bool {
	return !env.OutTTY && env.Getenv("GITHUB_ACTIONS") == "true"
}

// The escapes of workflow commands, as in packages/core/src/command.ts of
// github.com/actions/toolkit: properties need more characters escaped than the message.
var (
	escapeMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapeProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// workflowCommand formats a command for the runner of a GitHub workflow. properties are names and
// values by turns.
func workflowCommand(name, message string, properties ...string) string {
	var pairs []string
	for i := 0; i+1 < len(properties); i += 2 {
		pairs = append(pairs, properties[i]+"="+escapeProperty.Replace(properties[i+1]))
	}
	if pairs != nil {
		name += " " + strings.Join(pairs, ",")
	}
	return "::" + name + "::" + escapeMessage.Replace(message)
}

// failureCommand returns the command that shows a failed host above the log of a workflow.
func failureCommand(host string, r *fleet.Result) string {
	title := host + " " + string(r.Outcome)
	if r.Step != "" {
		title += " in " + string(r.Step)
	}
	message := reasonOf(r)
	if message == "" {
		message = title
	}
	if r.Hint != "" {
		message += "\nhint: " + r.Hint
	}
	return workflowCommand("error", message, "title", title)
}

// maxGroup is how many bytes of a host's output are kept for its group.
const maxGroup = 256 << 10

// logGroups keeps the output of each host until the host has finished, and prints it as a group
// that folds in the log of a workflow: groups cannot be open at the same time.
type logGroups struct {
	logs map[string]*groupLog
}

// groupLog is the end of a host's output.
type groupLog struct {
	lines   []string
	size    int // in bytes
	omitted int // lines before the first
}

func (g *logGroups) add(host, line string) {
	log := g.logs[host]
	if log == nil {
		log = new(groupLog)
		g.logs[host] = log
	}
	log.lines = append(log.lines, line)
	for log.size += len(line); log.size > maxGroup; log.omitted++ {
		log.size -= len(log.lines[0])
		log.lines = log.lines[1:]
	}
}

// print prints a host's output, and if the host has failed, the command that reports it. result is
// nil if the host has no outcome.
func (g *logGroups) print(p *plainPrinter, host string, result *fleet.Result) {
	if log := g.logs[host]; log != nil {
		delete(g.logs, host)
		p.write(workflowCommand("group", fmt.Sprintf("%s: output", host)))
		if log.omitted > 0 {
			p.write(fmt.Sprintf("%s are left out", count(log.omitted, "earlier line")))
		}
		for _, line := range log.lines {
			p.write(line)
		}
		p.write(workflowCommand("endgroup", ""))
	}
	if result != nil && !result.Outcome.Good() {
		p.write(failureCommand(host, result))
	}
}
