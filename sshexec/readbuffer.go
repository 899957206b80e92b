package sshexec

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// readBuffer reads from a socket as much as is there. It holds memory only while it holds data, so
// that a thousand idle connections need none.
type readBuffer struct {
	socket syscall.RawConn       // nil if the transport is not a socket
	try    func(fd uintptr) bool // tryRead
	chunk  *[readChunkSize]byte  // nil if there is no data
	unread []byte                // part of chunk
	err    error                 // of the last tryRead
}

const readChunkSize = 64 << 10

var readChunks = sync.Pool{New: func() any { return new([readChunkSize]byte) }}

func (b *readBuffer) init(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		b.socket, _ = tcp.SyscallConn()
		b.try = b.tryRead
	}
}

// fill waits until data arrives and returns it without taking it. Its errors are those of
// [net.Conn].
func (b *readBuffer) fill() ([]byte, error) {
	if err := b.socket.Read(b.try); err != nil {
		return nil, err // it was closed
	}
	if b.err != nil && b.err != io.EOF {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", b.err)}
	}
	return b.unread, b.err
}

// tryRead reads without waiting. It reports false if it has to be called again when the socket has
// data.
func (b *readBuffer) tryRead(fd uintptr) (done bool) {
	b.chunk = readChunks.Get().(*[readChunkSize]byte)
	n, err := syscall.Read(int(fd), b.chunk[:])
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), b.chunk[:])
	}
	b.err = err
	if n > 0 {
		b.unread = b.chunk[:n]
		return true
	}
	b.release()
	if err == nil {
		b.err = io.EOF
	}
	return err != syscall.EAGAIN
}

// take moves data to p and returns how much there was.
func (b *readBuffer) take(p []byte) int {
	n := copy(p, b.unread)
	b.unread = b.unread[n:]
	if len(b.unread) == 0 && b.chunk != nil {
		b.release()
	}
	return n
}

func (b *readBuffer) release() {
	readChunks.Put(b.chunk)
	b.chunk, b.unread = nil, nil
}
