package demo

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// directory is the directory of a fleet. A lock makes sure that only one process uses it.
type directory struct {
	path      string
	temporary bool
	lock      *os.File // the open directory, which holds the lock
}

// openDirectory locks a directory and creates it if necessary. "" means a new temporary directory.
func openDirectory(path string) (_ *directory, err error) {
	d := &directory{path: path, temporary: path == ""}
	if d.temporary {
		d.path, err = os.MkdirTemp("", "fleetctl-demo-")
	} else {
		err = os.MkdirAll(path, 0o755)
	}
	if err != nil {
		return nil, err
	}
	// Scripts compare physical paths, and /tmp is a symbolic link on macOS.
	if d.path, err = filepath.EvalSymlinks(d.path); err != nil {
		return nil, err
	}
	if d.path, err = filepath.Abs(d.path); err != nil {
		return nil, err
	}
	if d.lock, err = os.Open(d.path); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the fleet in %q is in use by another process", d.path), d.lock.Close())
	}
	if err := d.claim(); err != nil {
		return nil, errors.Join(err, d.lock.Close())
	}
	return d, nil
}

// markerFile identifies a directory that the demo created and may change.
const markerFile = ".fleetctl-demo"

// claim marks an empty directory. It rejects a directory with other content, such as a repository
// that happens to have hosts/ and hosts.toml.
func (d *directory) claim() error {
	entries, err := d.lock.ReadDir(1)
	switch {
	case errors.Is(err, io.EOF):
		return os.WriteFile(filepath.Join(d.path, markerFile), nil, 0o644)
	case err != nil || len(entries) == 0:
		return err
	}
	if _, err := os.Lstat(filepath.Join(d.path, markerFile)); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%q is not empty and was not created by the demo", d.path)
	} else {
		return err
	}
}

// close releases the directory, and removes it if it is temporary.
func (d *directory) close() error {
	// A child process that was just forked keeps the directory open until it executes its program.
	err := errors.Join(syscall.Flock(int(d.lock.Fd()), syscall.LOCK_UN), d.lock.Close())
	if !d.temporary {
		return err
	}
	// Children of a killed job may still write to the directory for a moment.
	removeErr := os.RemoveAll(d.path)
	for try := 0; removeErr != nil && try < 20; try++ {
		time.Sleep(50 * time.Millisecond)
		removeErr = os.RemoveAll(d.path)
	}
	return errors.Join(err, removeErr)
}
