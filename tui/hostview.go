package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// openHost shows the host under the cursor on the whole screen: its facts, its past runs, its log.
func (u *ui) openHost() tea.Cmd { return u.show(u.list.cursor) }

func (u *ui) show(name string) tea.Cmd {
	u.open, u.past, u.part = name, nil, logPart
	u.layout++
	if u.o.Actions.History == nil {
		return nil
	}
	return beside(func() tea.Msg {
		past, err := u.o.Actions.History(name)
		if err != nil {
			return flashMsg{text: firstLine(err), bad: true}
		}
		return pastMsg{name, past}
	})
}

func (u *ui) drawHost(out *strings.Builder) {
	r := u.byName[u.open]
	out.WriteString(u.row(r, u.fitting(), true))
	facts := u.hostLines(r)
	height := u.factsHeight()
	facts = facts[:min(len(facts), height)]
	for _, l := range facts {
		u.write(out, l)
	}
	blank(out, height-len(facts))
	u.tabs(out)
	u.pane().draw(out, &u.brush, u.width, u.logHeight(), u.manner)
}

// factsHeight returns how many lines the facts have. The log keeps at least half of the window.
func (u *ui) factsHeight() int { return min(len(u.hostLines(u.byName[u.open])), (u.height-chrome)/2) }

// hostLines returns the facts and the history, side by side if the window is wide.
func (u *ui) hostLines(r *row) []string {
	facts, history := u.facts(r), u.history()
	const beside = 110
	if u.width < beside || len(history) == 0 {
		return append(facts, history...)
	}
	half := u.width / 2
	lines := make([]string, max(len(facts), len(history)))
	for i := range lines {
		var left, right string
		if i < len(facts) {
			left = ansi.Truncate(facts[i], half-1, "…")
		}
		if i < len(history) {
			right = history[i]
		}
		lines[i] = left + strings.Repeat(" ", half-ansi.StringWidth(left)) + right
	}
	return lines
}

// facts returns what is known about a host, one fact per line. Unknown facts are left out.
func (u *ui) facts(r *row) []string {
	var lines []string
	add := func(name, text string) {
		if text = strings.TrimSpace(text); text != "" {
			lines = append(lines, u.palette.Faint.Paint("   "+pad(name, 11))+text)
		}
	}
	add("host", strings.Join(append([]string{string(r.Kind), "wave " + fmt.Sprint(r.Wave), r.Address}, tags(r.Tags)...), "  "))
	if last := r.judged.LastRun; last != nil && last.Reason != "" {
		add("last run", last.Sentence(u.now))
		if result := r.ended(); result != nil {
			add("", result.Hint)
		}
	}
	if r.status.Err != nil {
		add("problem", r.status.Observation().Reason)
		if !r.seen.IsZero() {
			add("", "last answered at "+r.seen.Format("15:04:05")+"; the facts below are from then")
		}
	}
	add("drift", r.judged.Drift.String())
	if other := r.status.OtherAgent; other != nil {
		add("agent", other.Error())
	}
	h := r.status.Health
	if h == nil {
		return lines
	}
	add("runs", strings.Join(parts(h.OS, named("Nix ", h.Nix), named("agent ", h.Agent), up(h.Uptime)), "  "))
	s := h.System
	standing := ""
	if s.RebootNeeded {
		standing = "reboot needed"
	} else if s.BootPending {
		standing = "different system at the next boot"
	}
	generation := ""
	if s.Generation > 0 {
		generation = fmt.Sprintf("generation %d", s.Generation)
		if s.GenerationTime != nil {
			generation += ", since " + s.GenerationTime.Format("2 Jan 2006 15:04")
		}
	}
	add("system", strings.Join(parts(health.Short(s.Revision), generation, standing), "  "))
	if c := h.Checkout; c != nil {
		state := ""
		if c.Dirty {
			state = "uncommitted changes"
		}
		add("checkout", strings.Join(parts(c.Branch, health.Short(c.Revision), c.Subject, count(c.Ahead, "ahead"), count(c.Behind, "behind"), state), "  "))
	}
	load := ""
	if h.Load != [3]float64{} {
		load = fmt.Sprintf("%.2f %.2f %.2f", h.Load[0], h.Load[1], h.Load[2])
	}
	add("load", strings.Join(parts(load, full("cpu", cpu(r)), full("memory", memory(r)), full("swap", used(h.Swap))), "  "))
	add("disk", strings.Join(parts(room("/", h.Root), room("/nix/store", h.Store)), "  "))
	add("failed", strings.Join(h.FailedUnits, " "))
	if h.Job != nil {
		add("job", strings.Join(parts(h.Job.ID, named("by ", h.Job.Who), h.Job.Step), "  "))
	}
	return lines
}

// history returns the outcomes of past runs for the host, newest first.
func (u *ui) history() []string {
	var lines []string
	for _, p := range u.past {
		line := u.palette.Faint.Paint("   "+pad(u.age(p.Time), 5)) + pad(p.Goal, 7)
		// enough to name the run; the line already has its time
		id := p.Run[strings.LastIndexByte(p.Run, '-')+1:]
		ink, text, ended := u.palette.Faint, "- not finished", ""
		if p.Result != nil {
			var mark string
			ink, mark = u.palette.Outcome(p.Result.Outcome)
			text, ended = mark+" "+string(p.Result.Outcome), ending(p.Result)
		}
		lines = append(lines, line+ink.Paint(pad(text, 16))+u.palette.Faint.Paint(id)+"  "+ended)
	}
	return lines
}

func tags(tags []string) []string {
	var some []string
	for _, t := range tags {
		some = append(some, "@"+t)
	}
	return some
}

// parts returns the texts that are not empty.
func parts(all ...string) []string {
	var some []string
	for _, p := range all {
		if p != "" {
			some = append(some, p)
		}
	}
	return some
}

func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + value
}

func count(n int, word string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, word)
}

func up(seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	return "up " + ago(time.Duration(seconds)*time.Second)
}

func full(name string, share float64) string {
	if share < 0 {
		return ""
	}
	return fmt.Sprintf("%s %.0f%%", name, share)
}

// room returns how much space is left on a disk.
func room(name string, a *health.Amount) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf("%s %.1f of %.1f GiB free", name, float64(a.Free)/(1<<30), float64(a.Total)/(1<<30))
}
