package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// testTimeout limits each test.
const testTimeout = 5 * time.Minute

// maxTestOutput is how many lines of a test's output are kept. They are the last ones, since a test
// that fails says why at the end.
const maxTestOutput = 200

// Test is how a repository test ended on a host.
type Test struct {
	Name    string
	Exit    int // exit status; 124 if the test took too long
	Seconds int
	Output  []string // last lines, without control characters
}

// TestResults are the repository tests of a host.
type TestResults struct {
	Host  string
	Tests []Test
	Err   error // why not all tests were run
}

// RunTests runs the repository tests of hosts: the scripts hosts/NAME/tests/*.sh of the host's
// checkout, as the login user, one after the other.
func (c *Client) RunTests(ctx context.Context, hosts []*inventory.Host, sink func(TestResults)) {
	each(ctx, c, hosts, func(ctx context.Context, h *inventory.Host) TestResults {
		tests, err := c.runTests(ctx, h)
		return TestResults{Host: h.Name, Tests: tests, Err: err}
	}, sink)
}

func (c *Client) runTests(ctx context.Context, h *inventory.Host) ([]Test, error) {
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return RunTests(ctx, conn, CheckoutOf(c.Inventory.Remote, h), h)
}

// ErrLost means that the connection was lost before the last test had finished.
var ErrLost = errors.New("the connection was lost")

// RunTests runs the repository tests of one host over a connection. It returns when all results
// have arrived and does not wait for the session to end, because a test may leave a process running
// that keeps the session open.
func RunTests(ctx context.Context, conn Conn, checkout remote.Checkout, h *inventory.Host) ([]Test, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	overdue := time.AfterFunc(testTimeout+Grace, func() {
		cancel(fmt.Errorf("no output from a test for %v", testTimeout+Grace))
	})
	defer overdue.Stop()
	token := remote.Token()
	s := OpenSession(ctx, conn, remote.RepoTests(token, h.Name, checkout, testTimeout), token, nil)
	defer s.Close()
	var report testReport
	var parser *remote.Parser
	var unusable *AnswerError
	for m := range s.Messages {
		overdue.Reset(testTimeout + Grace)
		switch {
		case m.Header != nil:
			parser = remote.NewParser(m.Header.Nonce, report.add)
		case parser != nil:
			parser.Write(m.Log)
		}
		if report.end != nil {
			break
		}
	}
	var err error
	switch {
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
	return report.finished(), err
}

// testReport collects the results that a host prints.
type testReport struct {
	tests   []Test
	running bool // the last test has not finished
	end     *remote.Item
}

func (r *testReport) add(it remote.Item) {
	switch {
	case it.Kind == remote.FactItem && it.Key == "test":
		r.tests, r.running = append(r.tests, Test{Name: it.Text}), true
	case it.Kind == remote.EndItem:
		r.end = &it
	case !r.running:
	case it.Kind == remote.FactItem && it.Key == "exit":
		status, seconds, _ := strings.Cut(it.Text, " ")
		last := &r.tests[len(r.tests)-1]
		last.Exit, _ = strconv.Atoi(status)
		last.Seconds, _ = strconv.Atoi(seconds)
		r.running = false
	case it.Kind == remote.Output:
		last := &r.tests[len(r.tests)-1]
		last.Output = append(last.Output[max(len(last.Output)-maxTestOutput+1, 0):], it.Text)
	}
}

// finished returns the tests that have finished.
func (r *testReport) finished() []Test {
	if r.running {
		return r.tests[:len(r.tests)-1]
	}
	return r.tests
}
