package engine

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// instantFixture returns a fixture whose only host finishes immediately, for tests with the real
// clock.
func instantFixture(t *testing.T, outcome string) *fixture {
	fx := newFixture(t, "web")
	fx.hosts["web"].log = []logPart{{0, "NONCE end " + outcome + "\n"}}
	return fx
}

func TestNotifyCommandAndURL(t *testing.T) {
	t.Parallel()
	var posted []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.Header.Get("Content-Type") == "application/json" {
			posted, _ = io.ReadAll(r.Body)
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "report")
	fx := instantFixture(t, "failed build build it does not compile")
	fx.inv.Notify = inventory.Notify{Command: "cat >" + file, URL: server.URL, OnFailure: true, Timeout: 10 * time.Second}
	fx.expectExit(fx.run(fleet.Options{}), fleet.ExitFailed)
	piped, err := os.ReadFile(file)
	if err != nil || string(piped) != string(posted) {
		t.Fatalf("the command got %q (%v), the URL %q", piped, err, posted)
	}
	var report fleet.Report
	if err := json.Unmarshal(piped, &report); err != nil {
		t.Fatal(err)
	}
	if report.Run != fx.record().Run || report.Goal != fleet.GoalSwitch || report.Revision != rev2 ||
		report.ExitCode != fleet.ExitFailed || report.Counts[fleet.Failed] != 1 ||
		len(report.Hosts) != 1 || report.Hosts[0].Name != "web" || report.Hosts[0].Reason != "it does not compile" {
		t.Errorf("report: %s", piped)
	}
	if lines := fx.lines(""); lines != "" {
		t.Errorf("warnings: %s", lines)
	}
}

func TestNotifyAllTargets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fx := instantFixture(t, "unchanged - verify already runs")
	notify := func(name string) inventory.Notify {
		return inventory.Notify{Command: "cat >" + filepath.Join(dir, name), Timeout: 10 * time.Second}
	}
	fx.inv.Notify = notify("fleet")
	p, err := fleet.NewPlan(fx.inv, fx.inv.Hosts, fleet.Options{}, "mba@imac0")
	if err != nil {
		t.Fatal(err)
	}
	p.Notify = append(p.Notify, notify("operator"))
	if _, err := fx.engine.Run(t.Context(), p, func(fleet.Event) {}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fleet", "operator"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestNotifyOnFailureOnly(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "report")
	fx := instantFixture(t, "unchanged - verify already runs")
	fx.inv.Notify = inventory.Notify{Command: "cat >" + file, OnFailure: true, Timeout: 10 * time.Second}
	fx.run(fleet.Options{})
	if _, err := os.Stat(file); err == nil {
		t.Error("notified of a run that succeeded")
	}
}

func TestFailedNotificationIsWarning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		command string
		want    string
	}{
		{"fails", "echo 'no route to the pager' >&2; exit 3", "warn: cannot notify the command: exit status 3: no route to the pager"},
		{"hangs with its children", "sleep 60 & sleep 60", "warn: cannot notify the command: context deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fx := instantFixture(t, "unchanged - verify already runs")
			fx.inv.Notify = inventory.Notify{Command: tt.command, Timeout: 500 * time.Millisecond}
			started := time.Now()
			fx.expectExit(fx.run(fleet.Options{}), fleet.ExitOK)
			if got := fx.lines(""); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if last := fx.events[len(fx.events)-1]; last.Type != fleet.RunFinished {
				t.Errorf("the last event is %s", last.Type)
			}
		})
	}
	t.Run("URL answers 404", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		defer server.Close()
		fx := instantFixture(t, "unchanged - verify already runs")
		fx.inv.Notify = inventory.Notify{URL: server.URL, Timeout: 10 * time.Second}
		fx.run(fleet.Options{})
		if got := fx.lines(""); !strings.Contains(got, "cannot notify "+server.URL+": the status is 404") {
			t.Errorf("got %q", got)
		}
	})
}
