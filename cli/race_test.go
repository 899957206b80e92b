//go:build race

package cli

// raceDetector means that fleetctl needs many times its memory.
const raceDetector = true
