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

// place is the directory that a fleet lives in, and is alone in.
type place struct {
	dir       string
	temporary bool
	held      *os.File // the directory, locked
}

// takePlace makes the directory if need be; "" is a new temporary one.
func takePlace(dir string) (_ *place, err error) {
	p := &place{dir: dir, temporary: dir == ""}
	if p.temporary {
		p.dir, err = os.MkdirTemp("", "fleetctl-demo-")
	} else {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return nil, err
	}
	// Scripts ask for physical paths, and /tmp is a link on macOS.
	if p.dir, err = filepath.EvalSymlinks(p.dir); err != nil {
		return nil, err
	}
	if p.dir, err = filepath.Abs(p.dir); err != nil {
		return nil, err
	}
	if p.held, err = os.Open(p.dir); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(p.held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the fleet in %q is in use", p.dir), p.held.Close())
	}
	if err := p.claim(); err != nil {
		return nil, errors.Join(err, p.held.Close())
	}
	return p, nil
}

// mark is a file that says that a directory is a demo's, to make and remove things in.
const mark = ".fleetctl-demo"

// claim marks an empty directory, and refuses one that is somebody's: a repository may well have hosts/ and hosts.toml.
func (p *place) claim() error {
	there, err := p.held.ReadDir(1)
	switch {
	case errors.Is(err, io.EOF):
		return os.WriteFile(filepath.Join(p.dir, mark), nil, 0o644)
	case err != nil || len(there) == 0:
		return err
	}
	if _, err := os.Lstat(filepath.Join(p.dir, mark)); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%q is not empty, and no demo's", p.dir)
	} else {
		return err
	}
}

// leave removes the directory, if it is a temporary one.
func (p *place) leave() error {
	err := p.held.Close()
	if !p.temporary {
		return err
	}
	// What a killed job had started may write for a moment more, into a directory that is being removed.
	gone := os.RemoveAll(p.dir)
	for try := 0; gone != nil && try < 20; try++ {
		time.Sleep(50 * time.Millisecond)
		gone = os.RemoveAll(p.dir)
	}
	return errors.Join(err, gone)
}
