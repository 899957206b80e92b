package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// sane is a command that prints its number where the terminal is as a shell wants it.
const sane = `stty -a | grep -q '[ ;]icanon' && stty -a | grep -q '[ ;]echo ' && echo "sane $((20 + %d))"`

func TestTheTableIsSuspendedAndComesBackInAnotherWindow(t *testing.T) {
	p := newPane(t, 100, 30, "PS1='shell> ' ENV= exec sh -i")
	p.until("shell>")
	p.keys("fleetctl demo --hosts 2 -- table", "Enter")
	p.until("2 behind")
	p.keys("C-z")
	p.until("shell> ")
	p.until("topped") // as shells say it
	p.keys(fmt.Sprintf(sane, 1), "Enter")
	p.until("sane 21")
	p.tmux("resize-window", "-x", "60", "-y", "15")
	p.keys("fg", "Enter")
	p.until("2 behind")
	p.gone("sane")
	p.keys("j", "space")
	p.until("● 1 marked")
	p.keys("q")
	p.gone("marked")
	p.keys(fmt.Sprintf(sane, 2), "Enter")
	p.until("sane 22")
}

func TestTheTableGivesTheTerminalBackWhenItIsTerminated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	p := newPane(t, 100, 30, fmt.Sprintf("sh -c 'echo $$ >%s; exec fleetctl demo --hosts 2 -- table'\necho \"left with $?\"\n"+sane, file, 3))
	p.until("2 behind")
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
	p.until("left with 0")
	p.until("sane 23")
	p.gone("2 behind")
}
