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

// sane is a command that prints its number where the terminal is as a shell wants it.
const sane = `stty -a | grep -q '[ ;]icanon' && stty -a | grep -q '[ ;]echo ' && echo "sane $((20 + %d))"`

func TestTheTableIsSuspendedAndComesBackInAnotherWindow(t *testing.T) {
	p := tmuxtest.Open(t, 100, 30, "PS1='shell> ' ENV= exec sh -i")
	p.Until("shell>")
	p.Keys("fleetctl demo --hosts 2 -- table", "Enter")
	p.Until("2 behind")
	p.Keys("C-z")
	p.Until("shell> ")
	p.Until("topped") // as shells say it
	p.Keys(fmt.Sprintf(sane, 1), "Enter")
	p.Until("sane 21")
	p.Resize(60, 15)
	p.Keys("fg", "Enter")
	p.Until("2 behind")
	p.UntilGone("sane")
	p.Keys("j", "space")
	p.Until("● 1 marked")
	p.Keys("q")
	p.UntilGone("marked")
	p.Keys(fmt.Sprintf(sane, 2), "Enter")
	p.Until("sane 22")
}

func TestTheTableGivesTheTerminalBackWhenItIsTerminated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	p := tmuxtest.Open(t, 100, 30, fmt.Sprintf("sh -c 'echo $$ >%s; exec fleetctl demo --hosts 2 -- table'\necho \"left with $?\"\n"+sane, file, 3))
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
	p.Until("left with 0")
	p.Until("sane 23")
	p.UntilGone("2 behind")
}
