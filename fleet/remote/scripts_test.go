package remote

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// everything is each script that a host is ever given.
func everything() map[string]string {
	job := Job{ID: "r.h", Kind: "nixos"}
	return map[string]string{
		"launch":      job.Launch("t", 0, "").Text,
		"check":       job.Check("t").Text,
		"tell":        Tell("t", "r.h", "go").Text,
		"follow":      Follow("t", "r.h", 0).Text,
		"cancel":      Cancel("t", "r.h").Text,
		"tip":         Tip("t", "~/c", "", "main").Text,
		"exec":        Exec("true").Text,
		"probe":       Probe("t", "nixos", Checkout{}).Text,
		"plan":        Forecast{}.Script("t").Text,
		"boot":        Boot("t").Text,
		"reboot":      Reboot("t", "").Text,
		"generations": Generations("t", "nixos").Text,
		"tests":       Tests("t", "h", Checkout{}, time.Minute).Text,
		"job":         jobScript(),
		"root":        rootScript(),
	}
}

// shells are those of this machine that a host's /bin/sh could be.
func shells(t *testing.T) map[string]string {
	found := map[string]string{"sh": "/bin/sh"}
	for _, name := range []string{"dash", "bash", "busybox"} {
		if path, err := exec.LookPath(name); err == nil {
			found[name] = path
		}
	}
	t.Logf("shells here: %v", found)
	return found
}

// shell prepares a run of text by the shell at path, under the name by which a host would call it.
func shell(path, text string, args ...string) *exec.Cmd {
	return &exec.Cmd{Path: path, Args: append([]string{"sh"}, args...), Stdin: strings.NewReader(text)}
}

func TestEveryShellCanReadEveryScript(t *testing.T) {
	for which, path := range shells(t) {
		for name, text := range everything() {
			if out, err := shell(path, text, "-n").CombinedOutput(); err != nil {
				t.Errorf("%s does not read the %s script: %v\n%s", which, name, err, out)
			}
		}
	}
}

// A script is read to its end before its first command runs, so that what follows on standard input is for the commands.
func TestAScriptEndsWithTheOnlyLineThatRunsSomething(t *testing.T) {
	for name, text := range everything() {
		if !strings.HasSuffix(text, "\n"+run) {
			t.Errorf("the %s script ends with something else than %q", name, run)
		}
	}
}

func TestALimitEndsWhatTakesTooLongAndNothingElse(t *testing.T) {
	for which, path := range shells(t) {
		text := script("env") + `main() {
  limit 5 sh -c 'exit 7' || echo "quick $?"
  limit 1 sleep 20 || echo "slow $?"
  limit 5 true && echo fine
}
` + run
		cmd := shell(path, text, "-s")
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := cmd.Output()
		if want := "quick 7\nslow 124\nfine\n"; err != nil || string(out) != want {
			t.Errorf("%s: got %q, %v, want %q", which, out, err, want)
		}
	}
}

// A switch may well set the clock, as on a machine whose battery is empty: no wait may become shorter or longer by that.
func TestAClockThatIsSetEndsNoWaitAndBeginsNone(t *testing.T) {
	if _, err := os.Stat("/proc/uptime"); err != nil {
		t.Skip("needs /proc/uptime")
	}
	for which, path := range shells(t) {
		for name, tt := range map[string]struct{ step, commands, want string }{
			"a wait is not over":   {"+3600", `(sleep 1.5 && : >"$dir/go") & await 20 go; echo "word $word"`, "word go\n"},
			"a wait is over":       {"-3600", `await 1 go; echo "word $word"`, "word \n"},
			"a new login is new":   {"-3600", `clock; echo "0 $now" >"$dir/activated"; new_login && echo new`, "new\n"},
			"an old one stays old": {"+3600", `clock; echo "0 $now" >"$dir/activated"; new_login || echo old`, "old\n"},
		} {
			t.Run(which+": "+name, func(t *testing.T) {
				t.Parallel()
				root := t.TempDir()
				bin := filepath.Join(root, "run", "wrappers", "bin")
				if err := os.MkdirAll(bin, 0o755); err != nil {
					t.Fatal(err)
				}
				// Each look at the clock finds it set by as much again.
				date := "#!/bin/sh\nn=$(cat " + root + "/n 2>/dev/null || echo 100000)\nn=$((n " + tt.step + "))\necho $n | tee " + root + "/n\n"
				age := map[string]string{"-3600": "00:00", "+3600": "00:30"}[tt.step]
				for program, text := range map[string]string{"date": date, "ps": "#!/bin/sh\necho " + age + " sshd\n"} {
					if err := os.WriteFile(filepath.Join(bin, program), []byte(text), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				cmd := exec.CommandContext(ctx, path)
				cmd.Args = []string{"sh", "-s"}
				cmd.Stdin = strings.NewReader(script("env", "await", "tell") + "main() {\n  dir=$HOME\n  " + tt.commands + "\n}\n" + run)
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

// Many processes take and give back the host's lock, and some die with it in their hands. Whoever has it must be alone.
func TestTheLockIsHeldByOneJobAtATime(t *testing.T) {
	for which, path := range shells(t) {
		t.Run(which, func(t *testing.T) {
			home := t.TempDir()
			text := script("env", "lock") + `main() {
  know_boot
  who=$1 turn=0 got=0 tries=0
  while [ $turn -lt 5 ] && [ $tries -lt 400 ]; do
    tries=$((tries + 1))
    id=job-$who-$turn
    mkdir -p "$jobs/$id"
    echo "$$ $this_boot" >"$jobs/$id/pid"
    if lock "$id"; then
      turn=$((turn + 1))
      mkdir "$HOME/alone" || echo "$id is not alone" >>"$HOME/faults"
      echo "$id" >>"$HOME/turns"
      sleep 0.01
      rmdir "$HOME/alone"
      # Every third dies without giving the lock back: as the dead job of a process that is no more.
      if [ $((turn % 3)) = 0 ]; then echo "1999999 $this_boot" >"$jobs/$id/pid"; else unlock "$id"; fi
    else
      sleep 0.02
    fi
  done
}
` + run
			var all sync.WaitGroup
			for who := range 6 {
				all.Go(func() {
					cmd := shell(path, text, "-s", "--", string(rune('a'+who)))
					cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME=")
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%v\n%s", err, out)
					}
				})
			}
			all.Wait()
			if faults, err := os.ReadFile(filepath.Join(home, "faults")); err == nil {
				t.Errorf("two had the lock at once:\n%s", faults)
			}
			turns, err := os.ReadFile(filepath.Join(home, "turns"))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(string(turns), "\n"); got != 30 {
				t.Errorf("the lock was had %d times, want 30", got)
			}
		})
	}
}

func TestScriptsPassShellcheck(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("needs shellcheck")
	}
	for name, text := range everything() {
		cmd := exec.Command(shellcheck, "--shell=sh", "--exclude=SC2030,SC2031,SC2034,SC2154,SC2317,SC2329", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("the %s script: %v\n%s", name, err, out)
		}
	}
}
