// Package nix has what of the project's Nix code the program itself evaluates. All else here is for flakes: the package, the modules
// and their tests.
package nix

import _ "embed"

// Lib is a Nix expression: the functions that make an inventory of a flake's outputs.
//
//go:embed lib.nix
var Lib string
