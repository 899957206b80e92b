package sshexec

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/iotest"
)

// socketPair returns both ends of a TCP connection.
func socketPair(t *testing.T) (local *rawConn, remote *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return newRawConn(dialed), accepted.(*net.TCPConn)
}

func TestRawConnPassesDataInPiecesOfAnySize(t *testing.T) {
	t.Parallel()
	sent := bytes.Repeat([]byte("SSH-2.0-x\r\n0123456789"), 100_000)
	for name, slow := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "half": iotest.HalfReader, "byte by byte": iotest.OneByteReader,
	} {
		local, remote := socketPair(t)
		go func() { _, _ = remote.Write(sent); remote.Close() }()
		got, err := io.ReadAll(slow(local))
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%s: got %d of %d bytes, %v", name, len(got), len(sent), err)
		}
		if local.received.chunk != nil || !local.sawVersion() {
			t.Errorf("%s: it still holds a buffer, or did not see the version", name)
		}
	}
}

func TestRawConnReportsErrorsOfTheSocket(t *testing.T) {
	t.Parallel()
	local, remote := socketPair(t)
	if err := remote.SetLinger(0); err != nil { // so that Close sends a reset
		t.Fatal(err)
	}
	remote.Close()
	if _, err := io.ReadAll(local); !errors.Is(err, syscall.ECONNRESET) || kindOf(err, KindProtocol) != KindLost {
		t.Errorf("after a reset: %v", err)
	}

	local, _ = socketPair(t)
	read := make(chan error, 1)
	go func() { _, err := local.Read(make([]byte, 1)); read <- err }()
	local.Close()
	if err := <-read; !errors.Is(err, net.ErrClosed) || kindOf(err, KindProtocol) != KindLost {
		t.Errorf("after Close: %v", err)
	}
}
