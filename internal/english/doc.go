// Command english checks the English of this repository: the words of comments, strings, names and
// documents, the width of comments, and the form of Go doc comments.
//
// Usage:
//
//	go run ./internal/english [-rules] [FILE|DIRECTORY]...
//
// Without arguments it reads every file that git tracks. It prints one finding per line, in the
// form "file:line: rule: text: suggestion", and exits 1 if there are any. With -rules it prints the
// rules and the reason for each.
//
// A line that must break a rule, such as hostile input in a test, carries a directive with a
// reason: //english:ignore REASON in Go, # english:ignore REASON in shell. On a line of its own the
// directive covers the next line. english:ignore-file REASON covers the whole file.
package main
