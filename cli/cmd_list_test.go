package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/sshexec"
)

func TestTextTableTruncatesWidestColumnToFit(t *testing.T) {
	table := newTextTable(&Env{}, "HOST", "SSH", "TAGS")
	table.row(table.palette.Bad, "hsb0", "mba@a.very.long.name.example.com", "home server")
	table.row(table.palette.Bad, "csb0", "mba@csb0", "")
	table.width = 30
	want := "HOST  SSH          TAGS\n" +
		"hsb0  mba@a.very…  home server\n" +
		"csb0  mba@csb0\n"
	if got := table.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	for width := 1; width < 80; width++ {
		table.width = width
		for line := range strings.Lines(table.String()) {
			if ansi.StringWidth(line) > max(width, 16) { // three columns of four, and the gaps
				t.Fatalf("%d columns: %q", width, line)
			}
		}
	}
}

func TestListShowsOtherHostsIfOneCannotBeResolved(t *testing.T) {
	hosts := []*inventory.Host{{Name: "a", Kind: "nixos", Wave: 1, Attr: "a"}, {Name: "b", Kind: "nixos", Wave: 1, Attr: "b"}}
	resolve := func(_ context.Context, target sshexec.Target) (sshexec.Settings, error) {
		if target.Name == "a" {
			return sshexec.Settings{}, errors.New("config line 3: bad")
		}
		return sshexec.Settings{Hostname: "b.lan", Port: 22, User: "mba"}, nil
	}
	for output, want := range map[string][]string{
		outputText: {"a     nixos  1     ?", "b     nixos  1     mba@b.lan"},
		outputJSON: {`"ssh":null,"ssh_error":"config line 3: bad"`, `"hostname":"b.lan"`},
	} {
		var out bytes.Buffer
		err := runList(context.Background(), &Env{Out: &out}, listOptions{output}, resolve, hosts)
		if exitCode(err, true) != 1 || !strings.Contains(fmt.Sprint(err), "config line 3: bad") {
			t.Errorf("%s: got %v", output, err)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%s: no %q in:\n%s", output, w, out.String())
			}
		}
	}
}
