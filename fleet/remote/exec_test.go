package remote

import (
	"os"
	"strings"
	"testing"
)

// TestExecHidesItsCommand has a command that prints the arguments of its own shell, and what is
// different there from a new shell.
func TestExecHidesItsCommand(t *testing.T) {
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("needs Linux")
	}
	for which, path := range shells(t) {
		s := Exec("tr '\\0' ' ' </proc/$$/cmdline; echo; echo \"secret $# <$sysroot$wrappers$undefined>\"; cat; false; exit 7")
		cmd := shell(path, s.Text, append([]string{"-s", "--"}, "decoded")...)
		cmd.Stdin = strings.NewReader("set -- " + quote(s.Args[0]) + "\n" + s.Text)
		out, err := cmd.Output()
		lines := strings.Split(string(out), "\n")
		if cmd.ProcessState.ExitCode() != 7 || len(lines) != 3 || strings.Contains(lines[0], "secret") || lines[1] != "secret 0 <>" {
			t.Errorf("%s: %v, %q", which, err, out)
		}
	}
}

// quote returns text in single quotes for sh.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
