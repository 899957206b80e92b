package sshexec

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// shellPair is the login shell of a host and the sh that it starts.
type shellPair struct{ login, sh string }

// runThroughShells runs a script the way a host does: a login shell runs the command line, and sh
// reads the rest from standard input. It returns the NUL-terminated fields that the script prints.
func runThroughShells(t testing.TB, shells shellPair, script string, args []string, env ...string) []string {
	t.Helper()
	text := StandardInput(script, args, "")
	line := strings.Replace(commandLine, "/bin/sh", shells.sh, 1)
	cmd := exec.Command(shells.login, "-c", line)
	cmd.Stdin = strings.NewReader(text)
	cmd.Env = append(cmd.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s, %s: %v\n%s", shells.login, shells.sh, err, stderr.String())
	}
	fields := strings.Split(string(out), "\x00")
	return fields[:len(fields)-1]
}

const printArgs = `[ $# -eq 0 ] || printf '%s\0' "$@"`

// installedShells returns the paths of the shells that are installed. sh always is.
func installedShells(t testing.TB, names ...string) []string {
	t.Helper()
	var found []string
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Logf("not installed: %s", name)
			continue
		}
		found = append(found, path)
	}
	return found
}

func sameStrings(a, b []string) bool {
	return strings.Join(a, "\x00") == strings.Join(b, "\x00") && len(a) == len(b)
}

var trickyArgs = [][]string{
	nil,
	{""},
	{"", "", "x", ""},
	{"-e", "--", "-n", "-"},
	{"two words", " ", "\t", "*", "?", "[a]", "~", "~root", "$HOME", "`id`", "$(id)", "a;b", "a&b", "|", "<", ">", "!", "!!", "#", "{a,b}", "%s%d", "\\", "\\n", "\\0101", "'", `"`, "_", "_101", "__", "^", "=ls"},
	{"line\n", "\n", "\n\n", "a\nb\n\n", "\r\n"},
	{"grüße", "日本", "\xff\xfe", "\x80", "\x81\x82\x83\x88", "\x01\x7f\x01", "\xe6\x97", "ends in half a character \xc3"},
	{strings.Repeat("x", 110<<10)},
	{strings.Repeat("'\n", 12<<10), "after"},
}

func TestArgumentsSurviveEveryLoginShell(t *testing.T) {
	t.Parallel()
	for _, loginShell := range installedShells(t, "sh", "bash", "dash", "zsh", "fish") {
		for _, args := range trickyArgs {
			if got := runThroughShells(t, shellPair{loginShell, "/bin/sh"}, printArgs, args); !sameStrings(got, args) {
				t.Errorf("%s: got %.200q, want %.200q", loginShell, got, args)
			}
		}
	}
}

func TestArgumentsSurviveEverySh(t *testing.T) {
	t.Parallel()
	for _, sh := range installedShells(t, "sh", "bash", "dash", "busybox") {
		if strings.HasSuffix(sh, "busybox") {
			sh += " sh"
		}
		for _, locale := range []string{"LC_ALL=C.UTF-8", "LC_ALL=C", "LANG=C.UTF-8"} {
			for _, args := range trickyArgs {
				if got := runThroughShells(t, shellPair{"/bin/sh", sh}, printArgs, args, locale); !sameStrings(got, args) {
					t.Errorf("%s with %s: got %.200q, want %.200q", sh, locale, got, args)
				}
			}
		}
	}
}

func TestArgumentsPreserveEveryByteButNUL(t *testing.T) {
	t.Parallel()
	var all []byte
	for c := 1; c < 256; c++ {
		all = append(all, byte(c))
	}
	args := []string{string(all)}
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		arg := make([]byte, r.IntN(40))
		for i := range arg {
			arg[i] = byte(1 + r.IntN(255))
		}
		args = append(args, string(arg))
	}
	for _, sh := range installedShells(t, "sh", "bash", "dash") {
		if got := runThroughShells(t, shellPair{"/bin/sh", sh}, printArgs, args, "LC_ALL=C.UTF-8"); !sameStrings(got, args) {
			t.Errorf("%s: got %q, want %q", sh, got, args)
		}
	}
}

func TestPrologueRestoresShellState(t *testing.T) {
	t.Parallel()
	const show = `printf '%s\0' "$IFS" "$-" "$(set | grep '^sshexec')"`
	got := runThroughShells(t, shellPair{"/bin/sh", "/bin/sh"}, show, []string{"a b"})
	if got[0] != " \t\n" || strings.Contains(got[1], "f") || got[2] != "" {
		t.Errorf("IFS, $- and leftover variables: %q", got)
	}
}

func TestTruncatedScriptRunsNothing(t *testing.T) {
	t.Parallel()
	text := StandardInput("echo one\necho two", []string{"an argument"}, "")
	for cut := range len(text) {
		cmd := exec.Command("/bin/sh", "-s")
		cmd.Stdin = strings.NewReader(text[:cut])
		if out, _ := cmd.Output(); len(out) > 0 && cut < len(text)-1 {
			t.Fatalf("the first %d of %d bytes were executed: %q", cut, len(text), out)
		}
	}
}

func FuzzEncodeArgs(f *testing.F) {
	f.Add("a", "")
	f.Add("_", "\n")
	f.Add("'", "\xff")
	f.Fuzz(func(t *testing.T, one, two string) {
		one, _, _ = strings.Cut(one, "\x00")
		two, _, _ = strings.Cut(two, "\x00")
		args := []string{one, two}
		for _, c := range EncodeArgs(args) {
			if !isPlainByte(byte(c)) && c != '_' && c != ' ' {
				t.Fatalf("the encoding contains %q", c)
			}
		}
		if got := runThroughShells(t, shellPair{"/bin/sh", "/bin/sh"}, printArgs, args); !sameStrings(got, args) {
			t.Fatalf("got %q, want %q", got, args)
		}
	})
}
