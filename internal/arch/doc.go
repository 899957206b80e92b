// Package arch holds tests of the repository as a whole: the direction of imports, and documents
// that must match the code.
package arch
