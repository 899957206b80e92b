package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// maxTestOutput is how many lines of a test's output are kept. They are the last ones, since a test
// that fails says why at the end.
const maxTestOutput = 200

// Bounds of the answer of a host. Beyond maxTests no more tests are read.
const (
	maxTests     = 1000
	maxTestBytes = 256 << 10 // of the lines of a test's output that are kept
)

// Test is how a repository test ended on a host.
type Test struct {
	Name    string
	Exit    int // exit status; 124 if the test took too long
	Seconds int
	Output  []string // last lines, without control characters
}

// TestResults are the repository tests of a host.
type TestResults struct {
	Host     string
	Revision string // commit of the checkout; "" if unknown
	Tests    []Test
	Err      error // why not all tests were run

	started bool // the host ran the script
}

// Summary returns what is kept of the results. It is nil if the host was not reached, or not to the
// end, since that says nothing about its tests.
func (r TestResults) Summary(now time.Time) *health.TestRun {
	if !r.started || errors.Is(r.Err, ErrLost) {
		return nil
	}
	kept := &health.TestRun{Time: now, Revision: r.Revision}
	for _, test := range r.Tests {
		if test.Exit == 0 {
			kept.Passed++
		} else {
			kept.Failed = append(kept.Failed, test.Name)
		}
	}
	if r.Err != nil {
		kept.Problem = clean.Line([]byte(strings.TrimPrefix(r.Err.Error(), r.Host+": ")))
	}
	return kept
}

// RunTests runs the repository tests of hosts: the scripts hosts/NAME/tests/*.sh of the host's
// checkout, as the login user, one after the other.
func (c *Client) RunTests(ctx context.Context, hosts []*inventory.Host, sink func(TestResults)) {
	each(ctx, c, hosts, func(ctx context.Context, h *inventory.Host) TestResults {
		return c.runTests(ctx, h)
	}, sink)
}

func (c *Client) runTests(ctx context.Context, h *inventory.Host) TestResults {
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		return TestResults{Host: h.Name, Err: err}
	}
	defer conn.Close()
	return RunTests(ctx, conn, CheckoutOf(c.Inventory.Remote, h), h)
}

// ErrLost means that the connection was lost before the last test had finished.
var ErrLost = errors.New("the connection was lost")

// RunTests runs the repository tests of one host over a connection. It returns when all results
// have arrived and does not wait for the session to end, because a test may leave a process running
// that keeps the session open.
func RunTests(ctx context.Context, conn Conn, checkout remote.Checkout, h *inventory.Host) TestResults {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := h.Timeouts.Test + h.Timeouts.Grace
	overdue := time.AfterFunc(limit, func() {
		cancel(fmt.Errorf("a test has not finished within %v", limit))
	})
	defer overdue.Stop()
	token := remote.Token()
	s := OpenSession(ctx, conn, remote.RepoTests(token, h.Name, checkout, h.Timeouts.Test, h.Timeouts.AllTests), token, nil)
	defer s.Close()
	var report testReport
	var parser *remote.Parser
	var unusable *AnswerError
	for m := range s.Messages {
		progress := report.progress
		switch {
		case m.Header != nil:
			parser = remote.NewParser(m.Header.Nonce, report.add)
		case parser != nil:
			parser.Write(m.Log)
		}
		if report.progress > progress {
			overdue.Reset(limit)
		}
		if report.end != nil || len(report.tests) > maxTests {
			break
		}
	}
	var err error
	switch {
	case len(report.tests) > maxTests:
		report.tests, report.running = report.tests[:maxTests], false
		err = &AnswerError{fleet.CodeExcess, fmt.Errorf("the host has more than %d tests", maxTests)}
	case report.end == nil && s.Err != nil && parser == nil && errors.As(s.Err, &unusable):
		err = unusable
	case report.end == nil && s.Err != nil:
		err = fmt.Errorf("%w: %w", ErrLost, cmp.Or(context.Cause(ctx), s.Err))
	case report.end == nil && parser != nil:
		err = s.Incomplete()
	case report.end == nil:
		err = s.NotRun()
	case report.end.Word == "failed":
		err = &codeError{report.end.Code, report.end.Text}
	}
	return TestResults{Host: h.Name, Revision: report.revision, Tests: report.finished(), Err: err, started: parser != nil}
}

// testReport collects the results that a host prints.
type testReport struct {
	revision string
	tests    []Test
	running  bool // the last test has not finished
	bytes    int  // of the last test's output
	progress int  // tests that have started or finished
	end      *remote.Item
}

func (r *testReport) add(it remote.Item) {
	switch {
	case it.Kind == remote.FactItem && it.Key == "revision":
		if fleet.IsCommit(it.Text) {
			r.revision = it.Text
		}
	case it.Kind == remote.FactItem && it.Key == "test":
		r.tests, r.running, r.bytes = append(r.tests, Test{Name: it.Text}), true, 0
		r.progress++
	case it.Kind == remote.EndItem:
		r.end = &it
	case !r.running:
	case it.Kind == remote.FactItem && it.Key == "exit":
		status, seconds, _ := strings.Cut(it.Text, " ")
		last := &r.tests[len(r.tests)-1]
		last.Exit, last.Seconds = testFigure(status), testFigure(seconds)
		r.running = false
		r.progress++
	case it.Kind == remote.Output:
		r.addOutput(it.Text)
	}
}

// addOutput keeps the last lines of the last test's output.
func (r *testReport) addOutput(line string) {
	last := &r.tests[len(r.tests)-1]
	last.Output = append(last.Output, line)
	r.bytes += len(line)
	for len(last.Output) > maxTestOutput || r.bytes > maxTestBytes {
		r.bytes -= len(last.Output[0])
		last.Output = last.Output[1:]
	}
}

// testFigure parses an exit status or a number of seconds. It returns -1 for anything else.
func testFigure(word string) int {
	n, err := strconv.ParseUint(word, 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}

// finished returns the tests that have finished.
func (r *testReport) finished() []Test {
	if r.running {
		return r.tests[:len(r.tests)-1]
	}
	return r.tests
}
