package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/change"
)

// TestCompareWorksWithoutDiffClosures compares two closures in every shell, with a stand-in for Nix
// that prints what Nix 2.8 prints (src/nix/diff-closures.cc, src/nix/path-info.cc), and for one
// that lacks the command.
func TestCompareWorksWithoutDiffClosures(t *testing.T) {
	t.Parallel()
	const nix = `#!/bin/sh
case "$MODE $*" in
  "old "*) echo "error: 'store' is not a recognised command" >&2; exit 1 ;; # english:ignore the text of nix
  *"store diff-closures /s/a /s/b") printf 'foo: 1.0 → 1.1, \033[31;1m+31.1 KiB\033[0m\ntool: ∅ → 4.2\n' ;;
  *"path-info -S /s/a /s/b") printf '/s/a\t      20312\n/s/b\t      33056\n' ;;
  "loud "*) i=0; while [ $i -lt 900 ]; do i=$((i + 1)); printf '%0100d: 1 → 2\n' $i; done ;;
esac
`
	const nixStore = `#!/bin/sh
case "$*" in
  "-qR /s/a") printf '%s\n' /s/11-same-1 /s/22-foo-1.0 /s/23-foo-1.0-doc /s/aa-x ;;
  "-qR /s/b") printf '%s\n' /s/11-same-1 /s/33-foo-1.1 /s/44-tool-4.2-bin /s/bb-x ;;
  *) exit 1 ;;
esac
`
	home := t.TempDir()
	bin := filepath.Join(home, ".nix-profile/bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"nix": nix, "nix-store": nixStore} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	text := composeText("# uses: compare\nmain() { compare \"$1\" \"$2\" 20; }\n", "").text
	up := change.Package{Name: "foo", Before: "1.0", After: "1.1", Word: change.Up}
	tool := change.Package{Name: "tool", After: "4.2", Word: change.New}
	sized := up
	sized.Size = "+31.1 KiB"
	counts := map[change.Word]int{change.Up: 1, change.New: 1}
	for which, path := range shells(t) {
		for _, tt := range []struct {
			mode, from, to string
			want           *change.Set
		}{
			{"new", "/s/a", "/s/b", &change.Set{
				Packages: []change.Package{sized, tool}, Counts: counts, Closure: &change.Closure{Before: 20312, After: 33056, Difference: 12744},
			}},
			{"old", "/s/a", "/s/b", &change.Set{Packages: []change.Package{up, tool}, Counts: counts}},
			{"old", "/s/a", "/s/c", &change.Set{Missing: "the host could not compare them"}},
			{"new", "", "/s/b", &change.Set{Missing: "nothing ran before"}},
		} {
			out, got := runCompare(t, path, text, home, tt.mode, tt.from, tt.to)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s, %s Nix: got\n%+v\nwant\n%+v\n%s", which, tt.mode, got, tt.want, out)
			}
		}
		out, got := runCompare(t, path, text, home, "loud", "/s/c", "/s/d")
		if len(out) > 80<<10 || got.More == 0 || got.More+got.Counts[change.Up] != 900 {
			t.Errorf("%s: %d bytes, %d packages, %d more", which, len(out), got.Counts[change.Up], got.More)
		}
	}
}

func runCompare(t *testing.T, path, text, home, mode, from, to string) (string, *change.Set) {
	cmd := shell(path, text, "-s", "--", from, to)
	cmd.Env = append(os.Environ(), "HOME="+home, "MODE="+mode)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var log strings.Builder
	for line := range strings.Lines(string(out)) {
		log.WriteString(nonce + " change " + line)
	}
	items := read(log.String()+nonce+" end switched - verify\n", 1<<20)
	return string(out), items[len(items)-1].Changes
}

func TestParserTakesUnitsOnlyFromActivation(t *testing.T) {
	log := nonce + " step build start\nrestarting the following units: built.service\n" + nonce + " step build ok\n" +
		nonce + " step activate start\nrestarting the following units: a.service\n" +
		nonce + " note code=rollback to=/nix/store/x\nrestarting the following units: b.service\n" +
		nonce + " step activate failed\nstarting the following units: c.service\n" +
		nonce + " end degraded units verify units=d.service%20e.service user_units=f.service,%20g.service users=\n"
	items := read(log, 50)
	end := items[len(items)-1]
	want := []change.Units{
		{Verb: "restart", Units: []string{"a.service"}},
		{Verb: "fail", Units: []string{"d.service", "e.service", "f.service", "g.service"}},
	}
	if end.Changes == nil || !reflect.DeepEqual(end.Changes.Units, want) {
		t.Errorf("got %+v", end.Changes)
	}
}

func TestEndMarkerHasBoundedChanges(t *testing.T) {
	var log strings.Builder
	for i := range 3 * change.MaxPackages {
		fmt.Fprintf(&log, "%s change difference p%d: 1 → 2\n", nonce, i)
	}
	log.WriteString(nonce + " end switched - verify\n" + nonce + " end switched - verify\n")
	items := read(log.String(), 1<<20)
	first, again := items[0].Changes, items[1].Changes
	if first == nil || len(first.Packages) != change.MaxPackages || first.Counts[change.Up] != 3*change.MaxPackages || again != nil {
		t.Errorf("%+v, and again %+v", first, again)
	}
}
