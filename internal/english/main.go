package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run lints the files named by args and returns the exit code: 1 if it found something, 2 if it
// could not read a file.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("english", flag.ContinueOnError)
	flags.SetOutput(stderr)
	printRules := flags.Bool("rules", false, "print the rules and exit")
	if flags.Parse(args) != nil {
		return 2
	}
	if *printRules {
		for _, r := range append(slices.Clone(wordRules), formRules...) {
			fmt.Fprintf(stdout, "%-14s %s\n", r.name, r.reason)
		}
		return 0
	}
	files, err := expand(flags.Args())
	if err != nil {
		fmt.Fprintln(stderr, "english:", err)
		return 2
	}
	code := 0
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			fmt.Fprintln(stderr, "english:", err)
			return 2
		}
		for _, f := range lintFile(filepath.ToSlash(file), src) {
			fmt.Fprintln(stdout, f)
			code = 1
		}
	}
	return code
}

// expand returns the files to lint: every tracked file if args is empty, otherwise the files in
// args and the files below the directories in args.
func expand(args []string) ([]string, error) {
	if len(args) == 0 {
		out, err := exec.Command("git", "ls-files", "-z").Output()
		if err != nil {
			return nil, fmt.Errorf("git ls-files: %w", err)
		}
		var files []string
		for _, file := range strings.Split(string(out), "\x00") {
			// A file that was just deleted or moved is still in the index.
			if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() && !excluded(file) {
				files = append(files, file)
			}
		}
		return files, nil
	}
	var files []string
	for _, arg := range args {
		err := filepath.WalkDir(arg, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == ".git":
				return fs.SkipDir
			case entry.Type().IsRegular() && !excluded(filepath.ToSlash(file)):
				files = append(files, file)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// excluded reports whether file is not written by hand in English: license, locks, pictures,
// golden files, and pages generated from sources that are linted themselves.
func excluded(file string) bool {
	file = strings.TrimPrefix(path.Clean(file), "./")
	switch path.Base(file) {
	case "LICENSE", "flake.lock", "go.sum", "go.mod":
		return true
	case "options.md", "fleetctl.1", "fleetctl-options.5":
		return strings.Contains(file, "docs/")
	}
	if strings.Contains(file, "docs/pictures/") {
		return true
	}
	// The testdata directory at the root holds scripts; those of packages hold golden files.
	_, inner, nested := strings.Cut(file, "/testdata/")
	return nested && !strings.HasPrefix(inner, "script/")
}

// lintFile returns the findings in one file, in the order of lines.
func lintFile(file string, src []byte) []finding {
	if bytes.IndexByte(src, 0) >= 0 {
		return nil // not text
	}
	var d document
	switch language(file, src) {
	case "go":
		d = readGo(file, src)
	case "shell", "nix":
		d = readScript(src)
	case "prose":
		d = document{units: []unit{{prose, 1, string(src)}}}
	default:
		return nil
	}
	d.units = append(d.units, unit{name, 1, words(strings.TrimSuffix(path.Base(file), path.Ext(file)))})
	d.checkWords()

	ignored := readIgnores(string(src))
	var findings []finding
	for _, f := range append(d.findings, ignored.findings...) {
		if !ignored.covers(f) {
			f.file = file
			findings = append(findings, f)
		}
	}
	slices.SortStableFunc(findings, func(a, b finding) int { return a.line - b.line })
	return slices.Compact(findings)
}

// language returns how to read file: "go", "shell", "nix", "prose", or "" for a file to skip.
func language(file string, src []byte) string {
	switch path.Ext(file) {
	case ".go":
		return "go"
	case ".sh":
		return "shell"
	case ".nix":
		return "nix"
	case ".md", ".txt", ".toml", ".yml", ".yaml", ".service", ".socket":
		return "prose"
	case "":
		if bytes.HasPrefix(src, []byte("#!")) {
			return "shell"
		}
	}
	return ""
}
