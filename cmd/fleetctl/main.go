// Fleetctl manages NixOS, nix-darwin and home-manager hosts over SSH.
package main

import (
	"os"

	"github.com/markus-barta/nixfleet/cli"
)

func main() {
	os.Exit(cli.Main(cli.System(), os.Args[1:]))
}
