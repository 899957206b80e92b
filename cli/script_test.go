package cli

import (
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run fleetctl as a process of its own: this test binary.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fleetctl": func() { os.Exit(Main(System(), os.Args[1:])) },
		"broken":   func() { os.Exit(broken(os.Args[1], os.Args[2])) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../testdata/script",
		RequireExplicitExec: false,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": status},
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("USER", "mba")
			return nil
		},
	})
}

// status runs a command and wants exactly that exit status: status 2 fleetctl deploy.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if exited, is := err.(interface{ ExitCode() int }); is {
		got = strconv.Itoa(exited.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
