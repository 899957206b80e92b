// Package testmain prepares the process in which the tests of a package run.
package testmain

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// parallel is how many tests of a package run at once. Tests that start hosts mostly wait, so there
// are more of them than CPUs.
const parallel = 12

// memoryDir is a file system in memory on Linux. Temporary directories in it save a third of the
// CPU time of tests that start hosts, which ext4 would spend on creating and deleting small files.
const memoryDir = "/dev/shm"

// memorySpace is the free space, in bytes, that memoryDir must have.
const memorySpace = 1 << 30

// Run runs the tests and exits. It is for TestMain.
func Run(m *testing.M) { os.Exit(M{m}.Run()) }

// M runs tests like [testing.M], after it has raised the number of tests that run at once and moved
// temporary directories to memory, unless -test.parallel or TMPDIR is set. fleetctl does not notice
// that the tests run in a GitHub workflow.
type M struct{ *testing.M }

// Run runs the tests and returns the exit status.
func (m M) Run() int {
	prepare()
	return m.M.Run()
}

func prepare() {
	flag.Parse()
	_ = os.Unsetenv("GITHUB_ACTIONS") // fleetctl's output depends on it
	explicit := false
	flag.Visit(func(f *flag.Flag) { explicit = explicit || f.Name == "test.parallel" })
	if !explicit {
		_ = flag.Set("test.parallel", strconv.Itoa(parallel))
	}
	if os.Getenv("TMPDIR") == "" && usable(memoryDir) {
		_ = os.Setenv("TMPDIR", memoryDir)
	}
}

// usable reports whether dir has room for tests and can hold programs that they run. The one of a
// container is often small and mounted noexec.
func usable(dir string) bool {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || uint64(fs.Bavail)*uint64(fs.Bsize) < memorySpace {
		return false
	}
	temp, err := os.MkdirTemp(dir, "fleetctl-test-")
	if err != nil {
		return false
	}
	defer os.RemoveAll(temp)
	program := filepath.Join(temp, "program")
	return os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700) == nil && exec.Command(program).Run() == nil
}
