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
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// testLimit is how long one test may take.
const testLimit = 5 * time.Minute

// keptLines is how much of a test's output is kept: its end, where it says what went wrong.
const keptLines = 200

// Test is how a script of the repository's ended on a host.
type Test struct {
	Name    string
	Exit    int // 124 where it took too long
	Seconds int
	Output  []string // the last lines, clean
}

// Tested is all tests of a host. Err says why they were not all run.
type Tested struct {
	Host  string
	Tests []Test
	Err   error
}

// RunTests runs the scripts hosts/NAME/tests/*.sh of hosts' checkouts there, as the login user, and gives each host's to sink, from one
// goroutine. A host's tests run one after the other.
func RunTests(ctx context.Context, d Dialer, inv *inventory.Inventory, hosts []*inventory.Host, parallel int, sink func(Tested)) {
	ended := make(chan Tested)
	go func() {
		defer close(ended)
		Each(ctx, hosts, parallel, func(ctx context.Context, h *inventory.Host) {
			tests, err := testHost(ctx, d, CheckoutOf(inv.Remote, h), h)
			ended <- Tested{Host: h.Name, Tests: tests, Err: err}
		})
	}()
	for one := range ended {
		sink(one)
	}
}

func testHost(ctx context.Context, d Dialer, checkout remote.Checkout, h *inventory.Host) ([]Test, error) {
	conn, err := d.Dial(ctx, h)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return RunTestsOver(ctx, conn, checkout, h)
}

// errLost: the connection was lost before the last test had ended.
var ErrLost = errors.New("the connection was lost")

// testOver goes by what is printed, not by the session's end: a test may leave something running that keeps it open.
func RunTestsOver(ctx context.Context, conn Conn, checkout remote.Checkout, h *inventory.Host) ([]Test, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	overdue := time.AfterFunc(testLimit+Grace, func() { cancel(fmt.Errorf("nothing was heard of a test for %v", testLimit+Grace)) })
	defer overdue.Stop()
	token := remote.Token()
	s := OpenSession(ctx, conn, remote.RepoTests(token, h.Name, checkout, testLimit), token, nil)
	defer s.Close()
	var report testReport
	var parser *remote.Parser
	for m := range s.Messages {
		overdue.Reset(testLimit + Grace)
		switch {
		case m.Header != nil:
			parser = remote.NewParser(m.Header.Nonce, report.take)
		case parser != nil:
			parser.Write(m.Log)
		}
		if report.end != nil {
			break
		}
	}
	var err error
	switch {
	case report.end == nil && s.Err != nil:
		err = fmt.Errorf("%w: %w", ErrLost, cmp.Or(context.Cause(ctx), s.Err))
	case report.end == nil:
		err = s.Silence()
	case report.end.Word == "failed":
		err = &coded{report.end.Code, report.end.Text}
	}
	return report.ended(), err
}

// coded is an error with a code of a host's.
type coded struct{ code, text string }

func (e *coded) Error() string { return e.text }

func (e *coded) Code() string { return e.code }

func (e *coded) Hint() string { return fleet.Code(e.code).Hint() }

// testReport is made of what a host prints.
type testReport struct {
	tests []Test
	open  bool // the last one has not ended
	end   *remote.Item
}

func (r *testReport) take(it remote.Item) {
	switch {
	case it.Kind == remote.FactItem && it.Key == "test":
		r.tests, r.open = append(r.tests, Test{Name: it.Text}), true
	case it.Kind == remote.EndItem:
		r.end = &it
	case !r.open:
	case it.Kind == remote.FactItem && it.Key == "exit":
		status, seconds, _ := strings.Cut(it.Text, " ")
		last := &r.tests[len(r.tests)-1]
		last.Exit, _ = strconv.Atoi(status)
		last.Seconds, _ = strconv.Atoi(seconds)
		r.open = false
	case it.Kind == remote.Output:
		last := &r.tests[len(r.tests)-1]
		last.Output = append(last.Output[max(len(last.Output)-keptLines+1, 0):], it.Text)
	}
}

// ended leaves out the test that the session did not see the end of.
func (r *testReport) ended() []Test {
	if r.open {
		return r.tests[:len(r.tests)-1]
	}
	return r.tests
}
