package remote

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/testrounds"
)

// scripts returns every script that a host ever runs, by the name of its file.
func scripts() map[string]Script {
	job := Job{ID: "r.h", Kind: "nixos", Health: []string{"true"}}
	return map[string]Script{
		"attach":      Attach("t", "r.h", 0),
		"boot":        Boot("t"),
		"cancel":      Cancel("t", "r.h"),
		"check":       job.Check("t"),
		"closure":     Closure("t", "r.h"),
		"exec":        Exec("true"),
		"export":      Export("t"),
		"generations": Generations("t", "nixos"),
		"hold":        Hold("t"),
		"import":      Import("t", "", ImportAsRoot, "auto"),
		"importer":    Importer("t", "", "nixos", "auto"),
		"job":         compose("job").script(job.values()),
		"launch":      job.Launch("t", 0, ""),
		"missing":     Missing("t", "r.h"),
		"lsremote":    LsRemote("t", "~/c", "", "main"),
		"preview":     PreviewRequest{}.Script("t"),
		"probe":       Probe("t", "nixos", Checkout{}),
		"reboot":      Reboot("t", "", ""),
		"repotests":   RepoTests("t", "h", Checkout{}, time.Minute, time.Minute),
		"root":        {Text: compose("root").text},
		"signal":      Signal("t", "r.h", "go", ""),
		"substitute":  Substitute("t", "r.h", NixArgs{}, time.Minute),
	}
}

func TestScriptsAreAllListed(t *testing.T) {
	listed := scripts()
	names, err := filepath.Glob("*.sh")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		name = strings.TrimSuffix(name, ".sh")
		if _, ok := listed[name]; !ok && name != "env" {
			t.Errorf("%s.sh is not among the scripts that the tests check", name)
		}
	}
	used := map[string]bool{}
	for name := range listed {
		markUsed(used, readScript(name+".sh"))
	}
	libs, err := filepath.Glob("lib/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range libs {
		if !used[strings.TrimSuffix(filepath.Base(path), ".sh")] {
			t.Errorf("no script uses %s", path)
		}
	}
}

// markUsed adds the files of lib that a text uses, also indirectly.
func markUsed(used map[string]bool, text string) {
	for _, name := range directive(text, "uses") {
		if !used[name] {
			used[name] = true
			markUsed(used, readScript("lib/"+name+".sh"))
		}
	}
}

func TestScriptsStartWithTheirHeader(t *testing.T) {
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		lines := strings.Split(readScript(path), "\n")
		if want := "# " + filepath.Base(path) + ": "; lines[0] != "# shellcheck shell=sh" || !strings.HasPrefix(lines[1], want) {
			t.Errorf("%s starts with %q, want a shellcheck directive and %q", path, lines[:2], want)
		}
		header := slices.IndexFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "#") })
		for n, line := range lines {
			if n < header && strings.Contains(line, "disable=") {
				t.Errorf("%s:%d: a check is disabled for the whole file", path, n+1)
			}
			if code, reason, found := strings.Cut(line, "# shellcheck disable="); found {
				if _, reason, found = strings.Cut(reason, " # "); !found || reason == "" || strings.TrimSpace(code) != "" {
					t.Errorf("%s:%d: %q: a check is disabled without a reason, or not in a line of its own", path, n+1, line)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestScriptsCallAllTheirFunctions(t *testing.T) {
	for name, script := range scripts() {
		if unused, percent := parseShell(script.Text).unreachable(); len(unused) > 0 {
			t.Errorf("%s: %d %% of its lines are functions that it never calls: %v", name, percent, unused)
		}
	}
}

func TestScriptsDefineAllTheirFunctions(t *testing.T) {
	known := map[string]bool{}
	for _, script := range scripts() {
		for name := range parseShell(script.Text).functions {
			known[name] = true
		}
	}
	for name, script := range scripts() {
		program := parseShell(script.Text)
		for _, f := range program.functions {
			for _, call := range f.calls {
				if _, defined := program.functions[call]; known[call] && !defined {
					t.Errorf("%s: %s calls %s, which is not in the script", name, f.name, call)
				}
			}
		}
	}
}

// TestParseShellFindsUnreachableFunctions tests what other tests rely on.
func TestParseShellFindsUnreachableFunctions(t *testing.T) {
	text := `# main is where it starts.
main() {
  x=$(in_substitution "$(nested)") && after_and
  trap on_exit EXIT
  limit 5 limited || case $x in
    pattern) "dynamic_$x" ;;
    a | b) (in_subshell) ;;
  esac
  echo word 'single' "double $x ${expansion}" # comment
}
in_substitution() { :; }
nested() { :; }
after_and() { :; }
on_exit() { :; }
limited() { :; }
dynamic_one() { :; }
in_subshell() (
  recursive
)
recursive() { if ! recursive; then :; fi; }
# Three lines
# of four.
pattern() {
  called_by_pattern
}
called_by_pattern() { :; }
word() { :; }
single() { :; }
double() { :; }
expansion() { :; }
comment() { :; }
main "$@"; exit $?
`
	p := parseShell(text)
	names, percent := p.unreachable()
	want := []string{"called_by_pattern", "comment", "double", "expansion", "pattern", "single", "word"}
	if !slices.Equal(names, want) || percent != 100*11/p.lines {
		t.Errorf("got %v (%d %%), want %v", names, percent, want)
	}
}

func TestScriptsGetTheInputsThatTheyDeclare(t *testing.T) {
	for name, script := range scripts() {
		if name == "exec" || name == "root" {
			continue // a parameter, and arguments of launch.sh
		}
		p := compose(name)
		var declared []string
		for _, in := range p.inputs {
			declared = append(declared, in.name)
		}
		for _, arg := range script.Args {
			if input, _, ok := strings.Cut(arg, "="); !ok || !slices.Contains(declared, input) {
				t.Errorf("%s gets %q, which it does not declare", name, arg)
			}
		}
	}
	declared := map[string]bool{}
	for _, in := range append(composeLaunch().inputs, compose("check").inputs...) {
		declared[in.name] = true
	}
	for name := range (Job{}).values() {
		if !declared[name] {
			t.Errorf("no script declares the value %q of a job", name)
		}
	}
}

func TestLaunchPassesOnWhatTheJobAndItsRootHalfDeclare(t *testing.T) {
	launch := composeLaunch().inputs
	for _, in := range append(compose("job").inputs, compose("root").inputs...) {
		if !slices.Contains(launch, in) && !slices.Contains([]string{"dir", "key", "launcher", "login_user", "nonce"}, in.name) {
			t.Errorf("launch does not accept %q", in.name)
		}
	}
	root := regexp.MustCompile(`"([a-z_]+)=\$`).FindAllStringSubmatch(parseShell(compose("launch").text).functions["compose_root"].body, -1)
	var passed []string
	for _, match := range root {
		passed = append(passed, match[1])
	}
	for _, in := range compose("root").inputs {
		if !slices.Contains(passed, in.name) {
			t.Errorf("launch.sh does not pass %q to the root half", in.name)
		}
	}
	if len(passed) != len(compose("root").inputs) {
		t.Errorf("launch.sh passes %q to the root half", passed)
	}
}

func TestScriptsRejectUnknownArguments(t *testing.T) {
	for which, path := range shells(t) {
		for name, script := range scripts() {
			args := []string{"-s", "--", "rev1=x"}
			switch name {
			case "exec":
				continue
			case "job":
				args = []string{"-s", "--", t.TempDir(), "rev1=x"}
			case "root":
				args = []string{"-s", "--", "start", "rev1=x"}
			}
			cmd := shell(path, script.Text, args...)
			cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_STATE_HOME=")
			out, err := cmd.CombinedOutput()
			if want := "fleetctl: unknown argument \"rev1\"\n"; string(out) != want || err == nil || err.Error() != "exit status 64" {
				t.Errorf("%s: %s: got %q, %v, want %q", which, name, out, err, want)
			}
		}
	}
}

// shells returns the shells of this machine that a host could have as /bin/sh.
func shells(t *testing.T) map[string]string {
	found := map[string]string{"sh": "/bin/sh"}
	for _, name := range []string{"dash", "bash", "busybox"} {
		if path, err := exec.LookPath(name); err == nil {
			found[name] = path
		}
	}
	t.Logf("shells: %v", found)
	return found
}

// shell prepares a run of text by the shell at path, under the name that a host would use.
func shell(path, text string, args ...string) *exec.Cmd {
	return &exec.Cmd{Path: path, Args: append([]string{"sh"}, args...), Stdin: strings.NewReader(text)}
}

func TestScriptsParseInEveryShell(t *testing.T) {
	for which, path := range shells(t) {
		for name, script := range scripts() {
			if out, err := shell(path, script.Text, "-n").CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", which, name, err, out)
			}
		}
	}
}

// TestScriptsRunOnlyInTheirLastLine checks that a shell reads a whole script before its first
// command runs: what follows on standard input is for the commands.
func TestScriptsRunOnlyInTheirLastLine(t *testing.T) {
	for name, script := range scripts() {
		if !strings.HasSuffix(script.Text, "\n"+lastLine) {
			t.Errorf("%s does not end with %q", name, lastLine)
		}
	}
}

func TestLimitKillsOnlyWhatTakesTooLong(t *testing.T) {
	for which, path := range shells(t) {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			text := composeText(`# uses: limit
main() {
  limit 5 sh -c 'exit 7' || echo "quick $?"
  limit 1 sleep 20 || echo "slow $?"
  limit 5 true && echo fine
}
`, "").text
			cmd := shell(path, text, "-s")
			cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
			out, err := cmd.Output()
			if want := "quick 7\nslow 124\nfine\n"; err != nil || string(out) != want {
				t.Errorf("got %q, %v, want %q", out, err, want)
			}
		})
	}
}

// TestWaitsIgnoreSettingTheClock sets the clock during waits, as a switch may on a machine whose
// battery is empty.
func TestWaitsIgnoreSettingTheClock(t *testing.T) {
	if _, err := os.Stat("/proc/uptime"); err != nil {
		t.Skip("needs /proc/uptime")
	}
	signal := "# uses: await\n" + readScript("signal.sh") // its main is replaced
	for which, path := range shells(t) {
		for name, tt := range map[string]struct{ step, commands, want string }{
			"a wait is not over":     {"+3600", `(sleep 1.5 && : >"$dir/go") & await 20 go; echo "received $received"`, "received go\n"},
			"a wait is over":         {"-3600", `await 1 go; echo "received $received"`, "received \n"},
			"a new login is new":     {"-3600", `read_clock; echo "0 $now" >"$dir/activated"; new_login && echo new`, "new\n"},
			"an old login stays old": {"+3600", `read_clock; echo "0 $now" >"$dir/activated"; new_login || echo old`, "old\n"},
		} {
			t.Run(which+": "+name, func(t *testing.T) {
				t.Parallel()
				root := t.TempDir()
				bin := filepath.Join(root, "run", "wrappers", "bin")
				if err := os.MkdirAll(bin, 0o755); err != nil {
					t.Fatal(err)
				}
				// Each read of the clock finds it set again.
				date := "#!/bin/sh\nn=$(cat " + root + "/n 2>/dev/null || echo 100000)\nn=$((n " + tt.step + "))\necho $n | tee " + root + "/n\n"
				age := map[string]string{"-3600": "00:00", "+3600": "00:30"}[tt.step]
				for program, text := range map[string]string{"date": date, "ps": "#!/bin/sh\necho " + age + " sshd\n"} {
					if err := os.WriteFile(filepath.Join(bin, program), []byte(text), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				sshd := filepath.Join(bin, "sshd") // the parent process, by its name
				if err := os.Symlink("/bin/sh", sshd); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(ctx, sshd, "-c", `"$0" -s; exit $?`, path)
				cmd.Stdin = strings.NewReader(composeText(signal+"main() {\n  dir=$HOME\n  "+tt.commands+"\n}\n", "").text)
				cmd.Env = append(os.Environ(), "HOME="+root, "FLEETCTL_ROOT="+root)
				out, err := cmd.Output()
				cancel()
				if err != nil || string(out) != tt.want {
					t.Errorf("got %q, %v, want %q", out, err, tt.want)
				}
			})
		}
	}
}

// TestLockHasOneHolderAtATime has many processes take and release a lock. Some die while they hold
// it.
func TestLockHasOneHolderAtATime(t *testing.T) {
	for which, path := range shells(t) {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			text := composeText(`# uses: boot_id lock state unlock
main() {
  read_boot_id
  who=$1 turn=0 got=0 tries=0
  while [ $turn -lt "$2" ] && [ $tries -lt 400 ]; do
    tries=$((tries + 1))
    id=job-$who-$turn
    mkdir -p "$state/jobs/$id"
    echo "$$ $boot_id" >"$state/jobs/$id/pid"
    if lock "$id"; then
      turn=$((turn + 1))
      mkdir "$HOME/alone" || echo "$id is not alone" >>"$HOME/faults"
      echo "$id" >>"$HOME/turns"
      sleep 0.01
      rmdir "$HOME/alone"
      # Every third dies without releasing the lock.
      if [ $((turn % 3)) = 0 ]; then echo "1999999 $boot_id" >"$state/jobs/$id/pid"; else unlock "$id"; fi
    else
      sleep 0.02
    fi
  done
}
`, "").text
			turns := testrounds.N(3, 5)
			var all sync.WaitGroup
			for who := range 6 {
				all.Go(func() {
					cmd := shell(path, text, "-s", "--", string(rune('a'+who)), strconv.Itoa(turns))
					cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME=")
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%v\n%s", err, out)
					}
				})
			}
			all.Wait()
			if faults, err := os.ReadFile(filepath.Join(home, "faults")); err == nil {
				t.Errorf("two processes held the lock at once:\n%s", faults)
			}
			taken, err := os.ReadFile(filepath.Join(home, "turns"))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(string(taken), "\n"); got != 6*turns {
				t.Errorf("the lock was taken %d times, want %d", got, 6*turns)
			}
		})
	}
}

// TestScriptsPassShellcheck runs all checks that are on by default. Exceptions are in single lines.
func TestScriptsPassShellcheck(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("needs shellcheck")
	}
	for name, script := range testrounds.Some(scripts(), 8) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(shellcheck, "--norc", "--shell=sh", "-")
			cmd.Stdin = strings.NewReader(script.Text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestEncodedFieldsAreDecoded(t *testing.T) {
	values := []string{"plain", "", "two words", "100%", "%20 %25%", " lead and trail ", "a\tb\nc", "ünï=côde", `back\slash "quotes" $HOME *`}
	for which, path := range shells(t) {
		p := composeText("# uses: encode\nmain() {\n  encode \"$@\"\n  printf '%s\\n' \"$fields\"\n}\n", "")
		args := []string{"-s", "--"}
		want := map[string]string{"text": "a rest %20 = of line"}
		for i, value := range values {
			key := "key_" + string(rune('a'+i))
			args = append(args, key+"="+value)
			want[key] = strings.NewReplacer("\t", " ", "\n", " ").Replace(value)
		}
		out, err := shell(path, p.text, append(args, "text=a rest\n%20 = of line")...).Output()
		got := parseFields(strings.TrimSuffix(strings.TrimPrefix(string(out), " "), "\n"))
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q", which, got, err, want)
		}
	}
}
