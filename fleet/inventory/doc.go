// Package inventory reads hosts.toml: which hosts there are, how each is reached, and what is switched on it.
//
// [Load] gives an [Inventory] in which nothing is left to look up: defaults are applied, names are unique, values are in
// range. What is wrong with a file is a list of [Findings], all of them at once, each with line, column and a mend; a
// file with findings is not to be acted upon, though what could be read of it is there for further checks.
//
// One table (format.go) lists every key with the values it takes and a sentence on what it is for. The parser's checks,
// the "did you mean" of an unknown key and the JSON Schema ([Schema]) all come from it.
//
// [Inventory.Select] picks hosts by an expression, and [First] writes a file to start from.
//
// Nothing here touches the network, and nothing but [Load] and [Locate] touches the disk.
package inventory
