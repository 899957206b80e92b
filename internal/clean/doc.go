// Package clean makes text from a host safe to print on a terminal.
//
// All output of a host is untrusted until this package has cleaned it: an escape sequence can move
// the cursor, set the clipboard or rename the window; a bidi override can display a word backwards;
// a carriage return can overwrite the text before it. Text is cleaned once, where it enters the
// program. All code behind that point may print it as it is.
//
// Nor can clean text command a CI system, as a line "::error::..." would do. The package also hides
// the passwords and access tokens of URLs, which a Git remote may contain.
//
// Clean text contains no control and no formatting characters, is valid UTF-8, and has a bounded
// length. Cleaning it again does not change it.
package clean
