package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func execute(env *testEnv, o execOptions, hosts []*inventory.Host, f fakeHosts) error {
	if o.parallel == 0 {
		o.parallel = 4
	}
	if o.output == "" {
		o.output = outputText
	}
	return runExec(context.Background(), env.Env, o, f, hosts, "uptime")
}

func sorted(text string) string {
	lines := strings.SplitAfter(text, "\n")
	sort.Strings(lines)
	return strings.Join(lines, "")
}

func TestExecPrefixesEachLineWithTheHost(t *testing.T) {
	env := newTestEnv(t)
	err := execute(env, execOptions{}, hostsNamed("hsb0", "mba-mbp-work"), fakeHosts{
		"hsb0":         printing("up 3 days\nload 0.1", "", 0),
		"mba-mbp-work": printing("\x1b[31mup\x1b[0m 2 hours\r\n", "no utmp\n", 0),
	})
	if exitCodeOf(err) != fleet.ExitOK {
		t.Errorf("exit code %d", exitCodeOf(err))
	}
	want := "hsb0         | load 0.1\nhsb0         | up 3 days\nmba-mbp-work | up 2 hours\n"
	if got := sorted(env.out.String()); got != want {
		t.Errorf("standard output is\n%s", got)
	}
	if got := env.err.String(); got != "mba-mbp-work | no utmp\n" {
		t.Errorf("standard error is\n%s", got)
	}
}

func TestExecReportsFailuresAndHints(t *testing.T) {
	lost := func(context.Context, host.Command) (int, error) {
		return 0, errors.New("hsb8: the connection was lost")
	}
	cut := func(context.Context, host.Command) (int, error) { return 0, offlineError{"hsb2"} }
	away := hostsNamed("imac0")
	away[0].SkipOffline = true
	cutOff := hostsNamed("hsb2")
	cutOff[0].SkipOffline = true
	for _, test := range []struct {
		hosts  []*inventory.Host
		code   int
		stderr string
	}{
		{hostsNamed("hsb0"), fleet.ExitOK, ""},
		{hostsNamed("hsb0", "hsb1"), fleet.ExitFailed, "hsb1: exit status 3\n"},
		{hostsNamed("hsb8"), fleet.ExitFailed, "hsb8: the connection was lost\n"},
		{hostsNamed("hsb0", "csb1"), fleet.ExitUnreachable, "csb1: connect: connection refused\n  hint: is it on?\n"},
		{hostsNamed("hsb1", "csb1"), fleet.ExitFailed, "hsb1: exit status 3\ncsb1: connect: connection refused\n  hint: is it on?\n"},
		{cutOff, fleet.ExitUnreachable, "hsb2: unknown whether the command succeeded: connect: connection refused\n"},
		{away, fleet.ExitOK, "imac0: skipped: connect: connection refused\n"},
	} {
		env := newTestEnv(t)
		err := execute(env, execOptions{}, test.hosts, fakeHosts{"hsb0": printing("", "", 0), "hsb1": printing("", "", 3), "hsb2": cut, "hsb8": lost})
		if exitCodeOf(err) != test.code || env.err.String() != test.stderr {
			t.Errorf("exit code %d, want %d; standard error\n%swant\n%s", exitCodeOf(err), test.code, env.err, test.stderr)
		}
	}
}

func TestExecGroupsEqualOutput(t *testing.T) {
	env := newTestEnv(t)
	execute(env, execOptions{group: true}, hostsNamed("a", "b", "c", "silent"), fakeHosts{
		"a": printing("26.05\n", "", 0), "b": printing("25.11\n", "", 0), "c": printing("26.05\n", "", 0), "silent": printing("", "", 0),
	})
	want := "a, c (2 hosts)\n  26.05\nb (1 host)\n  25.11\n"
	if got := env.out.String(); got != want {
		t.Errorf("standard output is\n%s", got)
	}
}

func TestExecGroupsEqualFailures(t *testing.T) {
	for group, want := range map[bool]string{
		true:  "a, c (2 hosts): exit status 3\nb: exit status 4\n",
		false: "a: exit status 3\nb: exit status 4\nc: exit status 3\n",
	} {
		env := newTestEnv(t)
		execute(env, execOptions{group: group}, hostsNamed("a", "b", "c"), fakeHosts{
			"a": printing("", "", 3), "b": printing("", "", 4), "c": printing("", "", 3),
		})
		if got := env.err.String(); got != want {
			t.Errorf("group %v: standard error is\n%s", group, got)
		}
	}
}

func TestExecJSONHasALineForEachOutputLineAndEachHost(t *testing.T) {
	env := newTestEnv(t)
	execute(env, execOptions{output: outputJSON}, hostsNamed("a", "gone"), fakeHosts{"a": printing("say \"hi\"\n", "oh\n", 1)})
	want := `{"host":"a","exit":1}
{"host":"a","stream":"err","line":"oh"}
{"host":"a","stream":"out","line":"say \"hi\""}
{"host":"gone","error":"gone: connect: connection refused"}
`
	if got := sorted(env.out.String()); got != want {
		t.Errorf("standard output is\n%s", got)
	}
}

func TestExecTimesOut(t *testing.T) {
	env := newTestEnv(t)
	hangs := func(ctx context.Context, _ host.Command) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	err := execute(env, execOptions{timeout: 20 * time.Millisecond}, hostsNamed("a"), fakeHosts{"a": hangs})
	if exitCodeOf(err) != fleet.ExitFailed || env.err.String() != "a: timed out after 20ms\n" {
		t.Errorf("exit code %d, standard error\n%s", exitCodeOf(err), env.err)
	}
}

func TestExecNeverMixesLinesOfHosts(t *testing.T) {
	env := newTestEnv(t)
	hosts := fakeHosts{}
	var names []string
	for i := range 8 {
		name := fmt.Sprintf("host%d", i)
		names = append(names, name)
		hosts[name] = func(_ context.Context, cmd host.Command) (int, error) {
			text := strings.Repeat(strings.Repeat(name, 20)+"\n", 200)
			for len(text) > 0 { // in pieces that do not end at newlines
				n := min(333, len(text))
				io.WriteString(cmd.Stdout, text[:n])
				text = text[n:]
			}
			return 0, nil
		}
	}
	execute(env, execOptions{parallel: 8}, hostsNamed(names...), hosts)
	lines := strings.Split(strings.TrimSuffix(env.out.String(), "\n"), "\n")
	if len(lines) != 8*200 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		name, output, _ := strings.Cut(line, " | ")
		if output != strings.Repeat(name, 20) {
			t.Fatalf("mixed line %q", line)
		}
	}
}

func TestLongLinesAreSplitAndNotTruncated(t *testing.T) {
	long := strings.Repeat("äö☃x", 5000)
	var out bytes.Buffer
	lw := &lineWriter{out: &out, format: prefixed("")}
	for i := 0; i < len(long); i += 1000 {
		io.WriteString(lw, long[i:min(i+1000, len(long))])
	}
	lw.close()
	if got := strings.ReplaceAll(out.String(), "\n", ""); got != long {
		t.Errorf("%d bytes became %d", len(long), len(got))
	}
	if n := strings.Count(out.String(), "\n"); n < 5 {
		t.Errorf("got %d lines", n)
	}
}

func FuzzLinesDoNotDependOnChunks(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\x1b[31mthree"), uint8(3))
	f.Add(bytes.Repeat([]byte("\xff☃"), 4000), uint8(100))
	f.Fuzz(func(t *testing.T, text []byte, step uint8) {
		write := func(step int) string {
			var out bytes.Buffer
			lw := &lineWriter{out: &out, format: prefixed("> ")}
			for rest := text; len(rest) > 0; {
				n := min(step, len(rest))
				lw.Write(rest[:n])
				rest = rest[n:]
			}
			lw.close()
			return out.String()
		}
		if whole, pieces := write(len(text)+1), write(int(step)+1); whole != pieces {
			t.Errorf("at once:\n%q\nin pieces of %d:\n%q", whole, int(step)+1, pieces)
		}
	})
}

func BenchmarkExecLines(b *testing.B) {
	chunk := []byte(strings.Repeat("copying path '/nix/store/02z01504c68d7d0z9f713464fbzb2cf9-linux-6.18.3'\n", 448))[:32<<10]
	lw := &lineWriter{out: io.Discard, format: prefixed("mba-mbp-work | ")}
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		lw.Write(chunk)
	}
}
