// Package clean makes text that came from a host fit for a terminal.
//
// Whatever a host prints is hostile until it went through here: an escape sequence can move the cursor, set the clipboard
// or rename the window, a bidi override can show a word backwards, a carriage return can overwrite what stood before it.
// Text is cleaned once, where it enters; everything behind that point may print it as it is.
//
// What comes out holds no control character, no formatting character, only valid UTF-8, and is of bounded length.
// Cleaning what is clean changes nothing.
package clean
