// Package testrounds decides how many rounds a repetitive test takes: few when a developer runs the
// tests, all of them in continuous integration.
package testrounds

import "os"

// Variable names the environment variable. Set to "full" it selects the full number of rounds;
// unset or empty it selects the short one.
const Variable = "FLEETCTL_TEST_ROUNDS"

// N returns the number of rounds to run: short by default, full if the environment asks for it. It
// panics if the variable has another value than those that it knows.
func N(short, full int) int {
	switch value := os.Getenv(Variable); value {
	case "":
		return short
	case "full":
		return full
	default:
		panic("invalid value " + value + " for " + Variable + `: must be "full" or empty`)
	}
}

// Some returns the cases of an expensive test to run: n of them, chosen at random, or all of them
// if the environment asks for the full number of rounds.
func Some[V any](cases map[string]V, n int) map[string]V {
	some := make(map[string]V, len(cases))
	for name, c := range cases { // in random order
		if len(some) < N(n, len(cases)) {
			some[name] = c
		}
	}
	return some
}
