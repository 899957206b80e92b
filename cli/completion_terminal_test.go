package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

const completionInventory = `[defaults]
repo = "~/cfg"
[hosts]
hsb0 = { kind = "nixos", address = "10.0.0.1", tags = ["home", "server"] }
hsb1 = { kind = "nixos", address = "10.0.0.2", tags = ["home"], wave = 2 }
imac0 = { kind = "home", attr = "mba@imac0", address = "10.0.0.3", tags = ["mac"] }
`

// TestBashCompletesWithoutItsPackage presses tab in a bash that has read nothing but the script.
func TestBashCompletesWithoutItsPackage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "hosts.toml"), completionInventory)
	if err := os.Mkdir(filepath.Join(dir, "flake"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "flat"), "")
	p := tmuxtest.Open(t, 100, 40, "cd "+dir+" && HOME="+dir+" PS1='> ' exec bash --norc --noprofile -i")
	p.Keys("bind 'set bell-style none' && ! declare -F _get_comp_words_by_ref && eval \"$(fleetctl completion bash)\" && echo rea''dy", "Enter")
	p.Until("ready")
	for _, test := range [][2]string{
		{"fleetctl dep", "fleetctl deploy #"},
		{"fleetctl deploy @ser", "fleetctl deploy @server #"},
		{"fleetctl deploy hsb0 hs", "fleetctl deploy hsb0 hsb1 #"},
		{"fleetctl deploy @server,@ma", "fleetctl deploy @server,@mac #"},
		{"fleetctl deploy @server,kind:h", "fleetctl deploy @server,kind:home #"},
		{"fleetctl deploy wave:2 --goal bo", "fleetctl deploy wave:2 --goal boot #"},
		{"fleetctl deploy --on-failure=ro", "fleetctl deploy --on-failure=rollback-wave #"},
		{"true | fleetctl  ssh  im", "true | fleetctl  ssh  imac0 #"},
		{"fleetctl check --flake fla", "fleetctl check --flake flake/#"},
		{"fleetctl check hosts.t", "fleetctl check hosts.toml #"},
	} {
		p.Keys(test[0], "Tab", "#")
		p.Until("> " + test[1])
		p.Keys("C-u")
	}
	p.Keys("fleetctl deploy hsb", "Tab", "Tab")
	p.Until("(nixos, wave 2, @home)")
}
