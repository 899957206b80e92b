package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

// TestHostileHostCannotHoldRun deploys to a good host and to one that never finishes its part.
func TestHostileHostCannotHoldRun(t *testing.T) {
	const start = "@%s following N %d\n"
	for name, tt := range map[string]struct {
		hostile func(ctx context.Context, n int, token string, out io.Writer) error
		code    fleet.Code
		within  time.Duration // of fake time; the limit of a build is an hour
	}{
		"one byte, then the end of the session": {func(_ context.Context, n int, token string, out io.Writer) error {
			fmt.Fprintf(out, start+"x", token, n)
			return nil
		}, fleet.CodeDeadline, 10 * time.Minute},
		"one byte, then the end of the connection": {func(_ context.Context, n int, token string, out io.Writer) error {
			fmt.Fprintf(out, start+"x", token, n)
			return errors.New("connection reset")
		}, fleet.CodeDeadline, 10 * time.Minute},
		"a byte per second": {func(ctx context.Context, n int, token string, out io.Writer) error {
			fmt.Fprintf(out, start, token, n)
			for host.Sleep(ctx, time.Second) {
				fmt.Fprint(out, "x")
			}
			return ctx.Err()
		}, fleet.CodeDeadline, 10 * time.Minute},
		"the same step again and again": {func(ctx context.Context, _ int, token string, out io.Writer) error {
			fmt.Fprintf(out, start, token, 0)
			for host.Sleep(ctx, time.Minute) {
				fmt.Fprint(out, "N step build start\nN step build ok\nN step build whatever\nN fact awaiting something\n")
			}
			return ctx.Err()
		}, fleet.CodeDeadline, 2 * time.Hour},
		"an empty nonce": {func(ctx context.Context, _ int, token string, out io.Writer) error {
			fmt.Fprintf(out, "@%s following  0\nhello\n", token)
			return nil
		}, fleet.CodeProtocol, time.Minute},
		"an offset below zero": {func(ctx context.Context, _ int, token string, out io.Writer) error {
			fmt.Fprintf(out, start, token, -1<<62)
			return nil
		}, fleet.CodeProtocol, time.Minute},
		"no header": {func(ctx context.Context, _ int, token string, out io.Writer) (err error) {
			for err == nil {
				_, err = io.WriteString(out, strings.Repeat("x", 8<<10))
			}
			<-ctx.Done()
			return ctx.Err()
		}, fleet.CodeExcess, time.Minute},
		"many facts": {func(ctx context.Context, _ int, token string, out io.Writer) (err error) {
			fmt.Fprintf(out, start, token, 0)
			for n := 0; err == nil && ctx.Err() == nil; n++ {
				_, err = fmt.Fprintf(out, "N fact key %d\n", n)
			}
			<-ctx.Done()
			return ctx.Err()
		}, fleet.CodeExcess, time.Minute},
		"long facts": {func(ctx context.Context, _ int, token string, out io.Writer) (err error) {
			fmt.Fprintf(out, start, token, 0)
			for n := 0; err == nil && ctx.Err() == nil; n++ {
				_, err = fmt.Fprintf(out, "N fact key %d %s\n", n, strings.Repeat("x", 30<<10))
			}
			<-ctx.Done()
			return ctx.Err()
		}, fleet.CodeExcess, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "bad", "good")
				fx.hosts["bad"].hostile = tt.hostile
				started := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Hour)
				defer cancel()
				fx.runWith(ctx, fleet.Options{}, func(fleet.Event) {})
				if took := time.Since(started); took > tt.within {
					t.Fatalf("the run took %v", took)
				}
				fx.expect("bad", fleet.Unknown, tt.code)
				fx.expect("good", fleet.Switched, "")
				if n := len(fx.events); n > 5000 {
					t.Errorf("%d events", n)
				}
			})
		})
	}
}
