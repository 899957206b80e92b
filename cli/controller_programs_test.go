package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

// recordLogs makes a record with a log of each of two hosts, and returns its ID.
func recordLogs(t *testing.T, env *testEnv) string {
	t.Helper()
	rec, journal, err := env.records().Create(env.Now())
	if err != nil {
		t.Fatal(err)
	}
	journal.Close()
	for _, host := range []string{"hsb0", "hsb1"} {
		if err := os.MkdirAll(filepath.Dir(rec.LogPath(host)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(rec.LogPath(host), []byte("building "+host+"\x1b[31m red\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return rec.Run
}

func TestPagerReadsLogsFromRecord(t *testing.T) {
	t.Parallel()
	env := newTestEnv(t)
	run := recordLogs(t, env)
	c := &tableController{env: env.Env, ctx: context.Background()}
	read := func(p tui.Page) string {
		text, err := c.pageText(p)
		if err != nil {
			t.Fatal(err)
		}
		var all bytes.Buffer
		if _, err := io.Copy(&all, text); err != nil {
			t.Fatal(err)
		}
		return all.String()
	}
	if got, want := read(tui.Page{Run: run}), "==> hsb0 <==\nbuilding hsb0 red\n\n==> hsb1 <==\nbuilding hsb1 red\n"; got != want {
		t.Errorf("the run's logs are %q, want %q", got, want)
	}
	if got, want := read(tui.Page{Host: "hsb1"}), "building hsb1 red\n"; got != want {
		t.Errorf("the newest log of the host is %q, want %q", got, want)
	}
	if got, want := read(tui.Page{Lines: []tui.Text{{Line: "a"}, {Line: "b"}}}), "a\nb\n"; got != want {
		t.Errorf("the lines are %q, want %q", got, want)
	}
	if _, err := c.pageText(tui.Page{Host: "gpc0"}); err == nil || err.Error() != "no run of gpc0 is recorded" {
		t.Errorf("error %v", err)
	}
}

func TestPagerRunsOperatorsCommand(t *testing.T) {
	t.Parallel()
	env := newTestEnv(t)
	env.Getenv = func(name string) string { return map[string]string{"PAGER": "sed s/^/page:/", "LESS": "FRX"}[name] }
	c := &tableController{env: env.Env, ctx: context.Background()}
	cmd, err := c.pager(tui.Page{Lines: []tui.Text{{Line: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cmd.Output(); string(got) != "page:a\n" {
		t.Errorf("the pager printed %q (%v)", got, err)
	}
	if last := cmd.Env[len(cmd.Env)-1]; last != "LESS=FRX -+F" {
		t.Errorf("the environment has %s", last)
	}
}

func TestEditorGetsInventoryAndFindingsAreReported(t *testing.T) {
	t.Parallel()
	env := newTestEnv(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "hosts.toml")
	if err := os.WriteFile(path, []byte("name = \"barta\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	editor := filepath.Join(dir, "editor")
	if err := os.WriteFile(editor, []byte("#!/bin/sh\n[ \"$1\" = -w ] && echo nonsense = 1 >>\"$2\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	env.Getenv = func(name string) string { return map[string]string{"EDITOR": editor + " -w"}[name] }
	c := &tableController{env: env.Env, ctx: context.Background(), inv: &inventory.Inventory{Path: path}}
	cmd, read, err := c.edit()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	edited, err := read()
	if err != nil || !edited.Changed || edited.Name != "hosts.toml" || !strings.Contains(strings.Join(edited.Findings, "\n"), `line 2: unknown key "nonsense"`) {
		t.Errorf("%+v, %v", edited, err)
	}
}
