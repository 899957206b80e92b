package demo

import (
	"errors"
	"fmt"
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
	return p, nil
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
