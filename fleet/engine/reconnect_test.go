package engine

import (
	"math/rand"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/testrounds"
)

// cutOnce returns a cut function that cuts one session after a number of bytes.
func cutOnce(session, bytes int) func(int) int {
	return func(n int) int {
		if n == session {
			return bytes
		}
		return -1
	}
}

func TestReconnectAfterCutAtAnyByte(t *testing.T) {
	var events string
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.run(fleet.Options{})
		events = fx.trace("web")
	})
	random := rand.New(rand.NewSource(1))
	for range testrounds.N(50, 200) {
		first, again := random.Intn(1200), random.Intn(400)
		synctest.Test(t, func(t *testing.T) {
			fx := newFixture(t, "web")
			h := fx.hosts["web"]
			h.cut = func(n int) int {
				switch n {
				case 0:
					return first
				case 1, 2:
					return again
				}
				return -1
			}
			fx.run(fleet.Options{})
			fx.expect("web", fleet.Switched, "")
			fx.expectWholeLog("web")
			got := fx.trace("web")
			for _, words := range []string{"reconnect=lost ", "reconnect=back "} {
				got = strings.ReplaceAll(got, words, "")
			}
			if got != events || h.started != 1 {
				t.Errorf("cut at %d and %d, %d jobs:\n got %s\nwant %s", first, again, h.started, got, events)
			}
			if fx.lines("web") == "" || strings.Count(fx.lines("web"), "no newline here") != 1 {
				t.Errorf("lines: %s", fx.lines("web"))
			}
		})
	}
}

func TestLostHostBecomesUnknownAfterTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.cut = cutOnce(0, 200)
		h.onDial = func(n int) error {
			if n > 0 {
				return fakeRefusal{"no route to host", true}
			}
			return nil
		}
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitUnreachable)
		fx.expect("web", fleet.Unknown, "lost")
		if r := fx.result("web"); r.Seconds < 600 || r.Seconds > 620 || r.Step != fleet.Preflight && r.Step != "" ||
			!strings.Contains(r.Hint, "fleetctl attach "+fx.record().Run) {
			t.Errorf("%+v", r)
		}
		if h.logins < 30 || h.logins > 80 {
			t.Errorf("%d login attempts in ten minutes", h.logins)
		}
		if !strings.Contains(fx.lines("web"), "warn: lost the connection (connection reset by peer); the job continues") {
			t.Errorf("lines: %s", fx.lines("web"))
		}
	})
}

func TestReconnectTimeoutCountsFromLastContact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		var log []logPart
		for range 20 { // a line every four minutes, for longer than the reconnect timeout of ten
			log = append(log, logPart{4 * time.Minute, "still building, with a line that is long enough\n"})
		}
		h.log = append(append([]logPart{{0, "NONCE step build start\n"}}, log...), logPart{0, "NONCE end failed build build x\n"})
		h.cut = func(int) int { return 110 }
		fx.run(fleet.Options{})
		if h.logins < 10 {
			t.Fatalf("only %d logins: nothing was cut", h.logins)
		}
		fx.expectWholeLog("web")
	})
}

func TestReconnectStopsAfterTwoRejectedLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.cut = cutOnce(0, 300)
		h.onDial = func(n int) error {
			if n > 0 {
				return fakeRefusal{"permission denied", false}
			}
			return nil
		}
		fx.run(fleet.Options{})
		fx.expect("web", fleet.Unknown, "lost")
		if h.logins != 3 {
			t.Errorf("%d logins", h.logins)
		}
	})
}

func TestVanishedJobIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.cut = cutOnce(0, 300)
		h.reply = func(verb string, _ arguments) string {
			if verb == "follow" {
				return "absent"
			}
			return ""
		}
		fx.run(fleet.Options{})
		fx.expect("web", fleet.Unknown, "vanished")
	})
}

func TestRepeatedBytesAreStoredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.cut = cutOnce(0, 300)
		h.rewinds = true
		fx.run(fleet.Options{})
		fx.expect("web", fleet.Switched, "")
		fx.expectWholeLog("web")
		if got := strings.Count(fx.trace("web"), "before="); got != 1 {
			t.Errorf("a fact was reported %d times", got)
		}
	})
}

func TestLogWithGapIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.cut = cutOnce(0, 300)
		h.reply = func(verb string, _ arguments) string {
			if verb == "follow" {
				return "following nonce-of-web 100000"
			}
			return ""
		}
		fx.run(fleet.Options{})
		fx.expect("web", fleet.Unknown, "vanished")
	})
}

func TestEmptySessionsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.cut = cutOnce(0, 300)
		h.reply = func(verb string, _ arguments) string {
			if verb == "follow" {
				return "nothing"
			}
			return ""
		}
		fx.run(fleet.Options{})
		fx.expect("web", fleet.Unknown, "no-end")
	})
}

func TestStepsHaveDeadlines(t *testing.T) {
	for step, limit := range map[string]time.Duration{
		"preflight": 30 * time.Second, "pull": 5 * time.Minute, "build": time.Hour, "activate": 15 * time.Minute, "verify": 2 * time.Minute,
	} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				fx.hosts["web"].log = []logPart{{0, "NONCE step " + step + " start 1\n"}}
				fx.expectExit(fx.run(fleet.Options{}), fleet.ExitUnreachable)
				fx.expect("web", fleet.Unknown, "deadline")
				if r := fx.result("web"); r.Seconds != (limit+30*time.Second).Seconds() || string(r.Step) != step {
					t.Errorf("%+v", r)
				}
			})
		})
	}
	t.Run("between two steps", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			fx := newFixture(t, "web")
			fx.hosts["web"].log = []logPart{{0, "NONCE step pull start\nNONCE step pull ok\n"}}
			fx.run(fleet.Options{})
			fx.expect("web", fleet.Unknown, "deadline")
			if r := fx.result("web"); r.Seconds != 30 {
				t.Errorf("%+v", r)
			}
		})
	})
	t.Run("deadline that passes while disconnected", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			fx := newFixture(t, "web")
			h := fx.hosts["web"]
			h.log = []logPart{
				{0, "NONCE step preflight start\n"}, {time.Second, "looking around\n"},
				{3 * time.Minute, "NONCE step preflight ok\n"}, {0, "NONCE end unchanged - verify already runs\n"},
			}
			h.cut = cutOnce(0, 110)
			started := time.Now()
			h.onDial = func(n int) error {
				if n > 0 && time.Since(started) < 170*time.Second {
					return fakeRefusal{"no route to host", true}
				}
				return nil
			}
			fx.run(fleet.Options{})
			fx.expect("web", fleet.Unchanged, "")
		})
	})
}

func TestQuietBuildWarnsOncePerSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.hosts["web"].log = []logPart{
			{0, "NONCE step build start\n"},
			{20 * time.Minute, "a line\n"},
			{6 * time.Minute, "NONCE step build ok\nNONCE end built - build built\n"},
		}
		fx.hosts["web"].lifetime = func(n int) time.Duration { return []time.Duration{time.Minute, 0}[min(n, 1)] }
		fx.run(fleet.Options{})
		fx.expect("web", fleet.Built, "")
		if got := strings.Count(fx.lines("web"), "warn: the build has printed nothing for 5m"); got != 2 {
			t.Errorf("%d warnings:\n%s", got, fx.lines("web"))
		}
		if !strings.Contains(fx.trace("web"), "reconnect=back") {
			t.Errorf("the connection was not lost: %s", fx.trace("web"))
		}
	})
}
