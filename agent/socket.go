package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// mode lets the owner and the group of the socket in.
const mode fs.FileMode = 0o660

// longest is the path of a unix socket on macOS, whose room for it is the smaller one.
const longest = 103

// ErrAnswered is the error of listening where an agent does already.
var ErrAnswered = errors.New("an agent answers there already")

// Listen makes a socket at a path, and the directory that it is in. Closing the listener removes the socket.
//
// What a killed agent left there is replaced; anything else stays, and is an error.
func Listen(path string) (net.Listener, error) {
	fresh := path + ".new"
	if len(fresh) > longest {
		return nil, fmt.Errorf("socket %q: its path is too long: it may have %d bytes", path, longest-len(".new"))
	}
	if err := mayTake(path); err != nil {
		return nil, fmt.Errorf("socket %q: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("socket %q: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	own := &socket{UnixListener: l, path: fresh}
	// Nobody can reach it under its name before its mode is right, and there is no moment without a socket.
	err = os.Chmod(fresh, mode)
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err == nil {
		own.path = path
		own.made, err = os.Lstat(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("socket %q: %w", path, err), own.Close())
	}
	return own, nil
}

// mayTake tells whether nothing is at the path but what a killed agent left.
func mayTake(path string) error {
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if there.Mode().Type() != fs.ModeSocket {
		return errors.New("something that is no socket is there: remove it, or name another path")
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(ErrAnswered, conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return nil
}

// socket takes its file with it when it is closed, unless the file is another agent's by then.
type socket struct {
	*net.UnixListener
	path string
	made fs.FileInfo // nil until it has its name
	once sync.Once
}

func (s *socket) Close() error {
	err := net.ErrClosed
	s.once.Do(func() {
		err = s.UnixListener.Close()
		now, lost := os.Lstat(s.path)
		if lost == nil && (s.made == nil || os.SameFile(s.made, now)) {
			err = errors.Join(err, os.Remove(s.path))
		}
	})
	return err
}
