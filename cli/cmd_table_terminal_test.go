package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

// printSane is a command that prints "sane" and 20 plus a number if the terminal echoes and edits
// lines.
const printSane = `stty -a | grep -q '[ ;]icanon' && stty -a | grep -q '[ ;]echo ' && echo "sane $((20 + %d))"`

func TestTableSuspendsAndResumesInResizedTerminal(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 100, 30, "PS1='shell> ' ENV= exec sh -i")
	p.Until("shell>")
	p.Keys("fleetctl demo --hosts 2 -- table", "Enter")
	p.Until("2 behind")
	p.Keys("C-z")
	p.Until("shell> ")
	p.Until("topped") // shells print Stopped or stopped
	p.Keys(fmt.Sprintf(printSane, 1), "Enter")
	p.Until("sane 21")
	p.Resize(60, 15)
	p.Keys("fg", "Enter")
	p.Until("2 behind")
	p.UntilGone("sane")
	p.Keys("j", "space")
	p.Until("● 1 marked")
	p.Keys("q")
	p.UntilGone("marked")
	p.Keys(fmt.Sprintf(printSane, 2), "Enter")
	p.Until("sane 22")
}

func TestTableRestoresTerminalOnSIGTERM(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	p := tmuxtest.Open(t, 100, 30, fmt.Sprintf("sh -c 'echo $$ >%s; exec fleetctl demo --hosts 2 -- table'\necho \"table exited with $?\"\n"+printSane, file, 3))
	p.Until("2 behind")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.Until("table exited with 0")
	p.Until("sane 23")
	p.UntilGone("2 behind")
}
