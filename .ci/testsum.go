// Testsum summarizes the output of `go test -json`: it prints the output of failed tests, the
// skipped tests with their reasons, and one line of counts at the end. It exits 1 if a test failed,
// if no test passed, or if a test was skipped because the machine lacks a tool ("needs ...").
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// An event is a line of go test -json; see go doc test2json.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// reason matches the message of t.Skip in a test's output: "    file_test.go:12: needs tmux".
var reason = regexp.MustCompile(`(?m)^\s+\S+_test\.go:\d+: (.*)$`)

func main() {
	output := make(map[string]string) // of each running test
	failedIn := make(map[string]bool)
	var passed, failed int
	var skipped, lacking []string

	for lines := bufio.NewReader(os.Stdin); ; {
		line, err := lines.ReadBytes('\n')
		var e event
		if json.Unmarshal(line, &e) != nil && len(line) > 0 {
			fmt.Printf("%s", line) // from go itself, such as a build error
		}
		test := e.Package + " " + e.Test
		switch {
		case e.Action == "build-output", e.Action == "output" && e.Test == "" && e.Output != "PASS\n":
			fmt.Print(e.Output)
		case e.Action == "output":
			output[test] += e.Output
		case e.Action == "fail":
			if e.Test != "" || !failedIn[e.Package] {
				// A package can fail without a failed test, by a build error or a panic.
				failed++
				failedIn[e.Package] = true
				fmt.Print(output[test])
			}
		case e.Test == "":
		case e.Action == "pass":
			passed++
		case e.Action == "skip":
			why := "no reason given"
			if all := reason.FindAllStringSubmatch(output[test], -1); all != nil {
				why = all[len(all)-1][1]
			}
			skipped = append(skipped, test+": "+why)
			if strings.HasPrefix(why, "needs ") {
				lacking = append(lacking, test)
			}
		}
		if e.Action == "pass" || e.Action == "fail" || e.Action == "skip" {
			delete(output, test)
		}
		if err != nil {
			break
		}
	}

	slices.Sort(skipped)
	for _, s := range skipped {
		fmt.Println("skipped:", s)
	}
	if len(lacking) > 0 {
		fmt.Printf("%d tests were skipped because this machine lacks a tool\n", len(lacking))
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, len(skipped))
	if failed > 0 || len(lacking) > 0 || passed == 0 {
		os.Exit(1)
	}
}
