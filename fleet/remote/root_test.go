package remote

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// rootFixture is a host on which the root half of a job can run: a repoFixture whose home is also
// the root of the host.
type rootFixture struct {
	*repoFixture
	dir, own, public string // the directories of the job and of its root half
}

const (
	rootKey      = "0123456789abcdef"
	switchScript = "#!/bin/sh\necho \"switching $1\"\necho \"$(umask) $PATH $0 $1\" >>\"$FLEETCTL_ROOT/seen\"\n"
)

func newRootFixture(t *testing.T) *rootFixture {
	t.Helper()
	f := &rootFixture{repoFixture: newRepoFixture(t)}
	f.dir, f.own = filepath.Join(f.home, "job"), filepath.Join(f.home, "run/fleetctl/jobs/r.h")
	f.public = filepath.Join(f.own, rootKey)
	for _, system := range []string{"nix/store/new-system", "nix/store/other-system", "mine"} {
		f.write(system+"/bin/switch-to-configuration", switchScript)
	}
	f.sh("chmod +x nix/store/*/bin/* mine/bin/*; mkdir -p job nix/var/nix/profiles \"$0\"; ln -s ../nix/store/new-system job/built", f.public)
	f.write("run/fleetctl/jobs/r.h/"+rootKey+"/log", "")
	f.ask("nix/store/new-system", "0", "22")
	return f
}

// ask writes what the user half wants to have activated.
func (f *rootFixture) ask(system, generation, port string) {
	f.t.Helper()
	if system != "" {
		system = filepath.Join(f.home, system)
	}
	f.write("job/activate", strings.Join([]string{system, generation, f.checkout(), "", port, "", "fail", ""}, "\n"))
}

// run runs the root half to its end and returns its log and what it has activated.
func (f *rootFixture) run() (log, seen string) {
	f.t.Helper()
	script := Script{Text: compose("root").text, Args: []string{"run", "dir=" + f.dir, "id=r.h", "key=" + rootKey, "kind=nixos",
		"goal=test", "confirm=none", "confirm_seconds=1", "login_user=root", "launcher=1", "nonce=nonce"}}
	out, err := f.shell(script, "0002").CombinedOutput()
	if err != nil {
		f.t.Fatalf("%v\n%s", err, out)
	}
	return f.read("run/fleetctl/jobs/r.h/" + rootKey + "/log"), f.read("seen")
}

// read returns the text of a file, or "".
func (f *rootFixture) read(path string) string {
	text, _ := os.ReadFile(filepath.Join(f.home, path))
	return string(text)
}

// TestRootHalfRunsLikeNixosRebuild has a PATH without a home and the umask of the system, whatever
// the login has.
func TestRootHalfRunsLikeNixosRebuild(t *testing.T) {
	t.Parallel()
	f := newRootFixture(t)
	log, seen := f.run()
	if umask, path, _ := strings.Cut(seen, " "); umask != "0022" || path == "" || strings.Contains(path, ".nix-profile") || strings.Contains(path, "state/nix") {
		t.Errorf("activated with %q\n%s", seen, log)
	}
	for _, name := range []string{"activated", "concluded", "log"} {
		if info, err := os.Stat(filepath.Join(f.public, name)); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s cannot be read by the user half: %v, %v", name, info, err)
		}
	}
	if !strings.Contains(log, "switching test\n") {
		t.Errorf("the log lacks the output of the activation:\n%s", log)
	}
}

// TestRootHalfActivatesOnlyWhatWasBuilt gives the root half words that a process of the login user
// could have put in place of those of the job.
func TestRootHalfActivatesOnlyWhatWasBuilt(t *testing.T) {
	for name, change := range map[string]func(f *rootFixture){
		"program in home":   func(f *rootFixture) { f.ask("mine", "0", "22"); f.sh("ln -sfn ../mine job/built") },
		"another system":    func(f *rootFixture) { f.ask("nix/store/other-system", "0", "22") },
		"path through home": func(f *rootFixture) { f.ask("nix/store/../../mine", "0", "22"); f.sh("ln -sfn ../mine job/built") },
		"link in store":     func(f *rootFixture) { f.sh("ln -s ../../mine nix/store/link"); f.ask("nix/store/link", "0", "22") },
		"no program":        func(f *rootFixture) { f.sh("rm nix/store/new-system/bin/*") },
		"nothing":           func(f *rootFixture) { f.ask("", "0", "22") },
		"generation":        func(f *rootFixture) { f.ask("nix/store/new-system", "../../x", "22") },
		"other generation": func(f *rootFixture) {
			f.sh("ln -s ../../../store/other-system nix/var/nix/profiles/system-3-link")
			f.ask("nix/store/new-system", "3", "22")
		},
		"port": func(f *rootFixture) { f.ask("nix/store/new-system", "0", "-oProxyCommand=x") },
		"specialisation": func(f *rootFixture) {
			f.write("job/activate", f.home+"/nix/store/new-system\n0\n"+f.checkout()+"\n\n22\n../../other-system\nfail\n")
		},
		"secret":  func(f *rootFixture) { f.write("secret", "root:hash\n"); f.sh("ln -sf ../secret job/activate") },
		"endless": func(f *rootFixture) { f.sh("ln -sf /dev/zero job/activate") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newRootFixture(t)
			change(f)
			log, seen := f.run()
			if seen != "" {
				t.Errorf("root has run %q", seen)
			}
			if activated := f.read("run/fleetctl/jobs/r.h/" + rootKey + "/activated"); !strings.HasPrefix(activated, "rejected ") {
				t.Errorf("the answer is %q, want rejected\n%s", activated, log)
			}
			if !strings.Contains(log, "nonce warn code=rejected") {
				t.Errorf("the log has no warning:\n%s", log)
			}
		})
	}
}

// TestRootHalfUndoesWhatItHadAccepted has a root half that was killed while it activated, and a
// user who has removed the link to what was built since.
func TestRootHalfUndoesWhatItHadAccepted(t *testing.T) {
	t.Parallel()
	f := newRootFixture(t)
	f.write("run/fleetctl/jobs/r.h/before", f.home+"/nix/store/other-system\n\n \n0\n")
	f.write("run/fleetctl/jobs/r.h/word", f.read("job/activate"))
	f.write("run/fleetctl/jobs/r.h/"+rootKey+"/started", "x\n")
	f.sh("rm job/built; echo >job/activate; ln -sfn ../nix/store/new-system run/current-system")
	log, seen := f.run()
	if !strings.Contains(seen, "other-system/bin/switch-to-configuration test") {
		t.Errorf("root has run %q, want the previous system\n%s", seen, log)
	}
}

// TestRootHalfFollowsNoLinkOfUser plants links wherever the root half or a script before it could
// write.
func TestRootHalfFollowsNoLinkOfUser(t *testing.T) {
	t.Parallel()
	f := newRootFixture(t)
	names := []string{"log", "result.new", "activated", "activated.new", "concluded", "started", "units", "root.pid", "running", "before", "relay", "word"}
	for _, name := range names {
		f.write("target/"+name, "root's\n")
		f.sh("ln -s ../target/$0 job/$0", name)
	}
	log, seen := f.run()
	if !strings.Contains(seen, "new-system") {
		t.Fatalf("nothing was activated:\n%s", log)
	}
	for _, name := range names {
		if text := f.read("target/" + name); text != "root's\n" {
			t.Errorf("root has written %q through the link %s", text, name)
		}
		if target, err := os.Readlink(filepath.Join(f.dir, name)); err != nil || target != "../target/"+name {
			t.Errorf("root has replaced the link %s: %q, %v", name, target, err)
		}
	}
}

// TestRootStartsOnlyWhatLaunchComposed replaces root.sh between the launch, which writes it, and
// root, which runs it.
func TestRootStartsOnlyWhatLaunchComposed(t *testing.T) {
	t.Parallel()
	text := composeText("# uses: boot_id digest root_script root_state\n"+`main() {
  dir=$HOME/job id=r.h kind=nixos prompt='' root_state=$HOME/run/fleetctl
  mkdir -p "$dir" "$HOME/run"
  echo 'echo "started $1"' >"$dir/root.sh"
  digest=$(digest <"$dir/root.sh")
  if [ "$1" = replaced ]; then echo 'touch "$HOME/stolen"' >"$dir/root.sh"; fi
  if [ "$1" = occupied ]; then mkdir "$HOME/mine" && ln -s "$HOME/mine" "$root_state"; fi
  if [ "$1" = linked ]; then echo secret >"$HOME/secret"; ln -sf ../secret "$dir/root.sh"; fi
  run_root_script
  echo "$root_status $root_output"
}
`, "").text
	for name, want := range map[string]string{"untouched": "0 started start", "replaced": "69 ", "linked": "69 ", "occupied": "69 "} {
		f := newRepoFixture(t)
		f.write("run/wrappers/bin/sudo", "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$@\"\n")
		f.sh("chmod +x run/wrappers/bin/*")
		out, err := f.shell(Script{Text: text, Args: []string{name}}, "022").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) || strings.Contains(string(out), "secret\n") {
			t.Errorf("%s: got %q, %v, want %q", name, out, err, want)
		}
		left, err := exec.Command("find", filepath.Join(f.home, "run/fleetctl"), "-type", "f").Output()
		if name != "untouched" && (err != nil || len(left) > 0) {
			t.Errorf("%s: root has left %s (%v)", name, left, err)
		}
		if _, err := os.Stat(filepath.Join(f.home, "stolen")); err == nil {
			t.Errorf("%s: root has run the script that was put in place of its own", name)
		}
	}
}

// TestFailedUnitsAreNotThoseOfJobs has halves of jobs that were killed.
func TestFailedUnitsAreNotThoseOfJobs(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	f.write("run/wrappers/bin/systemctl", "#!/bin/sh\nfor unit in fleetctl-20261128-1-ab.web web fleetctl-job-20261128-1-ab.web fleetctl-agent; do echo \"$unit.service loaded failed failed x\"; done\n")
	f.sh("chmod +x run/wrappers/bin/*; mkdir -p run/systemd/system")
	out, err := f.shell(Script{Text: composeText("# uses: failed_units\nmain() { failed_units; }\n", "").text}, "022").Output()
	if want := "web.service fleetctl-agent.service "; err != nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}
