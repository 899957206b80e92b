// Fleetctl manages NixOS, nix-darwin and home-manager hosts over SSH.
//
// It is the command in cmd/fleetctl, at the module's root for "go run .".
package main

import (
	"os"

	"github.com/markus-barta/nixfleet/cli"
)

func main() {
	os.Exit(cli.Main(cli.System(), os.Args[1:]))
}
