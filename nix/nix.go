// Package nix embeds the Nix code that fleetctl evaluates. The rest of this directory is for
// flakes: the package, the modules and their tests.
package nix

import _ "embed"

// Lib is a Nix expression that evaluates to the functions that derive an inventory from a flake.
//
//go:embed lib.nix
var Lib string
