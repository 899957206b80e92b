// Package inventory reads hosts.toml: which hosts exist, how each is reached, and what is activated
// on it.
//
// [Load] returns an [Inventory] in which everything is resolved: defaults are applied, names are
// unique, and values are in range. Problems are reported as [Findings], all of them at once, each
// with its line, its column and a hint. A file with findings must not be acted on, but whatever
// could be read is returned so that further checks can run.
//
// One table (keys.go) lists every key with its value type and its description. The checks of the
// decoder, the "did you mean" hints for unknown keys and the JSON Schema ([Schema]) are all derived
// from it.
//
// [Inventory.Select] selects hosts by an expression, and [Draft.TOML] writes a first inventory.
//
// Nothing in this package touches the network, and only [Load] and [Locate] touch the disk.
package inventory
