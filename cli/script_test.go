package cli

import (
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/markus-barta/nixfleet/internal/testmain"
)

// TestMain makes fleetctl a command of the test scripts, which run it as a separate process.
func TestMain(m *testing.M) {
	testscript.Main(testmain.M{M: m}, map[string]func(){
		"fleetctl":       func() { os.Exit(Main(System(), os.Args[1:])) },
		"panickingtable": func() { os.Exit(panickingTable(os.Args[1], os.Args[2])) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../testdata/script",
		RequireExplicitExec: false,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": runWithStatus},
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("USER", "mba")
			return nil
		},
	})
}

// runWithStatus implements the script command "status", which runs a command and expects an exit
// status: status 2 fleetctl deploy.
func runWithStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if exitErr, ok := err.(interface{ ExitCode() int }); ok {
		got = strconv.Itoa(exitErr.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
