package engine

import (
	"math/rand"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// once cuts the session of that number after so many bytes.
func once(session, bytes int) func(int) int {
	return func(n int) int {
		if n == session {
			return bytes
		}
		return -1
	}
}

func TestAConnectionCutAtAnyByteChangesNothing(t *testing.T) {
	var whole string
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.run(fleet.Options{})
		whole = w.story("web")
	})
	random := rand.New(rand.NewSource(1))
	for range 200 {
		first, again := random.Intn(1200), random.Intn(400)
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "web")
			h := w.hosts["web"]
			h.cut = func(n int) int {
				switch n {
				case 0:
					return first
				case 1, 2:
					return again
				}
				return -1
			}
			w.run(fleet.Options{})
			w.expect("web", fleet.Switched, "")
			w.expectWholeLog("web")
			got := w.story("web")
			for _, words := range []string{"reconnect=lost ", "reconnect=back "} {
				got = strings.ReplaceAll(got, words, "")
			}
			if got != whole || h.started != 1 {
				t.Errorf("cut at %d and %d, %d jobs:\n got %s\nwant %s", first, again, h.started, got, whole)
			}
			if w.lines("web") == "" || strings.Count(w.lines("web"), "no newline here") != 1 {
				t.Errorf("lines: %s", w.lines("web"))
			}
		})
	}
}

func TestALostHostIsUnknownOnceTheInventorysTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.cut = once(0, 200)
		h.dials = func(n int) error {
			if n > 0 {
				return fakeRefusal{"no route to host", true}
			}
			return nil
		}
		w.expectExit(w.run(fleet.Options{}), fleet.ExitUnreachable)
		w.expect("web", fleet.Unknown, "lost")
		if r := w.result("web"); r.Seconds < 600 || r.Seconds > 620 || r.Step != fleet.Preflight && r.Step != "" || !strings.Contains(r.Hint, "fleetctl attach "+w.record().Run) {
			t.Errorf("%+v", r)
		}
		if h.logins < 30 || h.logins > 80 {
			t.Errorf("%d logins were tried in ten minutes", h.logins)
		}
		if !strings.Contains(w.lines("web"), "warn: lost the connection (connection reset by peer); the job continues") {
			t.Errorf("lines: %s", w.lines("web"))
		}
	})
}

func TestTheTimeToReconnectCountsFromTheLastContact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		var log []piece
		for range 20 { // contact every four minutes, for longer than the ten that it may be away
			log = append(log, piece{4 * time.Minute, "still building, and saying so at some length\n"})
		}
		h.log = append(append([]piece{{0, "NONCE step build start\n"}}, log...), piece{0, "NONCE end failed build build x\n"})
		h.cut = func(int) int { return 110 }
		w.run(fleet.Options{})
		if h.logins < 10 {
			t.Fatalf("only %d logins: nothing was cut", h.logins)
		}
		w.expectWholeLog("web")
	})
}

func TestAHostThatTurnsUsAwayTwiceIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.cut = once(0, 300)
		h.dials = func(n int) error {
			if n > 0 {
				return fakeRefusal{"permission denied", false}
			}
			return nil
		}
		w.run(fleet.Options{})
		w.expect("web", fleet.Unknown, "lost")
		if h.logins != 3 {
			t.Errorf("%d logins", h.logins)
		}
	})
}

func TestAJobThatVanishesIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.cut = once(0, 300)
		h.says = func(verb string, _ arguments) string {
			if verb == "follow" {
				return "absent"
			}
			return ""
		}
		w.run(fleet.Options{})
		w.expect("web", fleet.Unknown, "vanished")
	})
}

func TestBytesThatComeTwiceAreKeptOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.cut = once(0, 300)
		h.rewinds = true
		w.run(fleet.Options{})
		w.expect("web", fleet.Switched, "")
		w.expectWholeLog("web")
		if got := strings.Count(w.story("web"), "before="); got != 1 {
			t.Errorf("a fact was told %d times", got)
		}
	})
}

func TestALogWithAHoleInItIsNotGoneOnWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.cut = once(0, 300)
		h.says = func(verb string, _ arguments) string {
			if verb == "follow" {
				return "following nonce-of-web 100000"
			}
			return ""
		}
		w.run(fleet.Options{})
		w.expect("web", fleet.Unknown, "vanished")
	})
}

func TestSessionsThatEndTooEarlyDoNotGoOnForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.cut = once(0, 300)
		h.says = func(verb string, _ arguments) string {
			if verb == "follow" {
				return "nothing"
			}
			return ""
		}
		w.run(fleet.Options{})
		w.expect("web", fleet.Unknown, "no-end")
	})
}

func TestEveryStepHasADeadline(t *testing.T) {
	for step, limit := range map[string]time.Duration{
		"preflight": 30 * time.Second, "pull": 5 * time.Minute, "build": time.Hour, "activate": 15 * time.Minute, "verify": 2 * time.Minute,
	} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				w.hosts["web"].log = []piece{{0, "NONCE step " + step + " start 1\n"}}
				w.expectExit(w.run(fleet.Options{}), fleet.ExitUnreachable)
				w.expect("web", fleet.Unknown, "deadline")
				if r := w.result("web"); r.Seconds != (limit+30*time.Second).Seconds() || string(r.Step) != step {
					t.Errorf("%+v", r)
				}
			})
		})
	}
	t.Run("between two steps", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "web")
			w.hosts["web"].log = []piece{{0, "NONCE step pull start\nNONCE step pull ok\n"}}
			w.run(fleet.Options{})
			w.expect("web", fleet.Unknown, "deadline")
			if r := w.result("web"); r.Seconds != 30 {
				t.Errorf("%+v", r)
			}
		})
	})
	t.Run("a deadline that passes while the host is out of reach leaves it a grace", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "web")
			h := w.hosts["web"]
			h.log = []piece{{0, "NONCE step preflight start\n"}, {time.Second, "looking around\n"}, {3 * time.Minute, "NONCE step preflight ok\n"}, {0, "NONCE end unchanged - verify already runs\n"}}
			h.cut = once(0, 110)
			begun := time.Now()
			h.dials = func(n int) error {
				if n > 0 && time.Since(begun) < 170*time.Second {
					return fakeRefusal{"no route to host", true}
				}
				return nil
			}
			w.run(fleet.Options{})
			w.expect("web", fleet.Unchanged, "")
		})
	})
}

func TestAQuietBuildIsWorthOneWarningEachSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.hosts["web"].log = []piece{
			{0, "NONCE step build start\n"},
			{20 * time.Minute, "a line\n"},
			{6 * time.Minute, "NONCE step build ok\nNONCE end built - build built\n"},
		}
		w.hosts["web"].life = func(n int) time.Duration { return []time.Duration{time.Minute, 0}[min(n, 1)] }
		w.run(fleet.Options{})
		w.expect("web", fleet.Built, "")
		if got := strings.Count(w.lines("web"), "warn: the build has printed nothing for 5m"); got != 2 {
			t.Errorf("%d warnings:\n%s", got, w.lines("web"))
		}
		if !strings.Contains(w.story("web"), "reconnect=back") {
			t.Errorf("the connection was not lost: %s", w.story("web"))
		}
	})
}
