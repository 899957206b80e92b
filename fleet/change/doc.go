// Package change describes how two configurations of a host differ: their packages, the sizes of
// their closures, and what an activation does to units. It parses what Nix and the activation print
// about that, for a plan and for a deploy alike.
package change
