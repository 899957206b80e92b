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

// socketMode lets the owner and the group of the socket connect.
const socketMode fs.FileMode = 0o660

// maxSocketPath is the longest path of a unix socket on macOS, whose limit is lower than Linux's.
const maxSocketPath = 103

// ErrInUse is returned by [Listen] if another agent already listens on the socket.
var ErrInUse = errors.New("another agent already listens there")

// Listen creates a socket at a path, and its directory. Closing the listener removes the socket.
//
// Listen replaces a socket that a killed agent left behind. It returns an error if anything else is
// at the path.
func Listen(path string) (net.Listener, error) {
	tmp := path + ".new"
	if len(tmp) > maxSocketPath {
		return nil, fmt.Errorf("socket %q: path too long: must have at most %d bytes", path, maxSocketPath-len(".new"))
	}
	if err := checkUnused(path); err != nil {
		return nil, fmt.Errorf("socket %q: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: tmp, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("socket %q: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	socket := &socketListener{UnixListener: l, path: tmp}
	// The socket gets its name once its mode is set. The rename also replaces an old socket
	// atomically.
	err = os.Chmod(tmp, socketMode)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		socket.path = path
		socket.info, err = os.Lstat(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("socket %q: %w", path, err), socket.Close())
	}
	return socket, nil
}

// checkUnused returns an error unless the path does not exist or is a socket without a listener.
func checkUnused(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("the file there is not a socket: remove it, or use another path")
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(ErrInUse, conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return nil
}

// socketListener removes its file when it is closed, unless another agent has replaced the file.
type socketListener struct {
	*net.UnixListener
	path string
	info fs.FileInfo // nil until the socket has its final name
	once sync.Once
}

func (s *socketListener) Close() error {
	err := net.ErrClosed
	s.once.Do(func() {
		err = s.UnixListener.Close()
		current, statErr := os.Lstat(s.path)
		if statErr == nil && (s.info == nil || os.SameFile(s.info, current)) {
			err = errors.Join(err, os.Remove(s.path))
		}
	})
	return err
}
