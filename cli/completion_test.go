package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompletionScriptsWorkInTheirShells(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary is fleetctl under that name (TestMain).
	if err := os.Symlink(self, filepath.Join(dir, "fleetctl")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("HOME", dir)
	for shell, script := range map[string]string{
		// Stands in for the function of the package bash-completion, which may not be installed.
		"bash": `_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]} prev=fleetctl; }
			. ./completion.bash
			COMP_WORDS=(fleetctl dep) COMP_CWORD=1 COMP_LINE="fleetctl dep" COMP_POINT=12 COMP_TYPE=9
			__start_fleetctl; printf '%s\n' "${COMPREPLY[@]}"`,
		"fish": `source ./completion.fish; complete --do-complete "fleetctl dep"`,
		"zsh": `autoload -U compinit; compinit -u -d ./dump; . ./completion.zsh
			(( $+functions[_fleetctl] )) && [[ $_comps[fleetctl] = _fleetctl ]] && fleetctl __complete dep`,
	} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip("needs " + shell)
			}
			text, err := exec.Command("fleetctl", "completion", shell).Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "completion."+shell), text, 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path, "-c", script)
			cmd.Dir = dir
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || !strings.HasPrefix(string(out), "deploy") {
				t.Errorf("offers %q: %v\n%s", out, err, stderr.String())
			}
		})
	}
}
