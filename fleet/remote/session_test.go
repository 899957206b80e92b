package remote

import (
	"os"
	"strings"
	"testing"
)

// TestJobsThatEndWithTheirLoginAreReported has logind settings, as busctl prints them, and cgroups
// of a login and of a unit.
func TestJobsThatEndWithTheirLoginAreReported(t *testing.T) {
	const (
		session  = "0::/user.slice/user-1000.slice/session-4.scope\n"
		manager  = "0::/user.slice/user-1000.slice/user@1000.service/"
		unit     = manager + "app.slice/fleetctl-job-x.service\n"
		terminal = manager + "app.slice/vte-spawn-x.scope\n"
	)
	for _, tt := range []struct {
		name, logind, cgroup string
		lingers              bool
		job, check           bool // who warns
	}{
		{name: "killed", logind: "b true\nas 1 \"root\"", cgroup: session, job: true, check: true},
		{name: "not killed", logind: "b false\nas 1 \"root\"", cgroup: session},
		{name: "excluded", logind: "b true\nas 2 \"root\" \"me\"", cgroup: session},
		{name: "a unit of the user", logind: "b true\nas 0", cgroup: unit, lingers: true},
		{name: "a unit of the system", logind: "b true\nas 0", cgroup: "0::/system.slice/fleetctl-job-x.service\n"},
		{name: "a terminal of a desktop", logind: "b false\nas 0", cgroup: terminal, job: true, check: true},
		{name: "a lingering user", logind: "b true\nas 0", cgroup: session, lingers: true, job: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newRepoFixture(t)
			f.write("run/wrappers/bin/busctl", "#!/bin/sh\ncat <<'END'\n"+tt.logind+"\nEND\n")
			f.write("run/wrappers/bin/id", "#!/bin/sh\necho 1000\n")
			// So the job is in no unit.
			f.write("run/wrappers/bin/systemd-run", "#!/bin/sh\nexit 1\n")
			f.sh("chmod +x run/wrappers/bin/*; mkdir -p run/systemd/system")
			f.write("proc/self/cgroup", tt.cgroup)
			if tt.lingers {
				f.write("var/lib/systemd/linger/me", "")
			}
			j := f.job("switch", "")
			j.SwitchCommand = "true"
			_, log := f.launch(j, "022")
			check, err := f.shell(j.Check("t"), "022").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, check)
			}
			for who, found := range map[string][2]bool{
				"the job":   {strings.Contains(log, " warn code=login-end user=me\n"), tt.job},
				"the check": {strings.Contains(string(check), "\nwarning login-end user=me\n"), tt.check},
			} {
				if found[0] != found[1] {
					t.Errorf("%s warns: %v, want %v", who, found[0], found[1])
				}
			}
		})
	}
}

// TestEnvironmentIsRestored has values that are hard to quote, and constants of bash.
func TestEnvironmentIsRestored(t *testing.T) {
	text := composeText("# uses: environment\nmain() { print_environment; }\n", "").text
	want := map[string]string{"GREETING": "it's \"two\"\n$HOME `lines` \\", "EMPTY": "", "UID": "1000", "EUID": "1000", "SHELLOPTS": "braceexpand:hashall"}
	for which, path := range shells(t) {
		save := shell(path, text, "-s")
		save.Env = []string{"HOME=/", "PATH=" + os.Getenv("PATH")}
		for name, value := range want {
			save.Env = append(save.Env, name+"="+value)
		}
		saved, err := save.Output()
		if err != nil {
			t.Fatalf("%s: %v", which, err)
		}
		restore := shell(path, string(saved)+"exec env -0\n", "-s")
		restore.Env = []string{"PATH=" + os.Getenv("PATH")}
		out, err := restore.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", which, err, out)
		}
		for name, value := range want {
			got, found := "", false
			for variable := range strings.SplitSeq(string(out), "\x00") {
				if v, ok := strings.CutPrefix(variable, name+"="); ok {
					got, found = v, true
				}
			}
			switch {
			case !found:
				t.Errorf("%s: %s is not exported", which, name)
			case got != value && (name == "GREETING" || name == "EMPTY"):
				t.Errorf("%s: %s is %q, want %q", which, name, got, value)
			}
		}
	}
}
