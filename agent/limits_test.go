package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestThousandConcurrentRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	path, _ := startAgent(t, func(o *Options) { o.Limits.Connections, o.Limits.Requests = 4, 100 })
	client := newHTTPClient(t, path)
	var all sync.WaitGroup
	var counts [600]atomic.Int32
	for range 1000 {
		all.Go(func() {
			resp, err := client.Get("http://agent/v1/health")
			// On a machine so slow that the client takes requestGrace to send its request, the
			// connection may have gone to another one.
			for errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
				resp, err = client.Get("http://agent/v1/health")
			}
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			counts[resp.StatusCode].Add(1)
		})
	}
	all.Wait()
	ok, refused := counts[http.StatusOK].Load(), counts[http.StatusTooManyRequests].Load()
	if ok+refused != 1000 || ok < 100 {
		t.Errorf("%d answered, %d refused", ok, refused)
	}
}

func TestExcessRequestsGetRetryAfter(t *testing.T) {
	t.Parallel()
	path, _ := startAgent(t, func(o *Options) { o.Limits.Requests = 2 })
	client := newHTTPClient(t, path)
	for {
		resp, err := client.Get("http://agent/v1/version")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests {
			if resp.Header.Get("Retry-After") != "1" || resp.Header.Get("Content-Type") != health.ProblemType {
				t.Errorf("got %v", resp.Header)
			}
			return
		}
	}
}

func TestRateLimiterRefills(t *testing.T) {
	l, now := newRateLimiter(2), time.Now()
	allowed := func() (n int) {
		for range 5 {
			if l.allow(now) {
				n++
			}
		}
		return n
	}
	if n := allowed(); n != 2 {
		t.Errorf("first: %d allowed, want 2", n)
	}
	now = now.Add(500 * time.Millisecond)
	if n := allowed(); n != 1 {
		t.Errorf("half a second later: %d allowed, want 1", n)
	}
	now = now.Add(time.Hour)
	if n := allowed(); n != 2 {
		t.Errorf("an hour later: %d allowed, want 2, the burst", n)
	}
}

func TestLongHeaderIsRejected(t *testing.T) {
	t.Parallel()
	path, _ := startAgent(t, nil)
	r, err := http.NewRequest(http.MethodGet, "http://agent/v1/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]int{3 << 10: http.StatusOK, 9 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		r.Header.Set("X-Long", strings.Repeat("x", size))
		resp, err := newHTTPClient(t, path).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes: %s", size, resp.Status)
		}
	}
}

// TestSilentClientsKeepNoOthersOut opens far more connections than the limit that never send a
// whole request.
func TestSilentClientsKeepNoOthersOut(t *testing.T) {
	t.Parallel()
	path, _ := startAgent(t, func(o *Options) { o.Limits.Connections = 4 })
	for n := range 24 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if n%2 == 0 {
			_, _ = io.WriteString(conn, "GET /v1/health HTTP/1.1\r\nHost: ")
		}
	}
	served := make(chan int, 1)
	go func() {
		status, _ := get(t, newHTTPClient(t, path), "/v1/health")
		served <- status
	}()
	select {
	case status := <-served:
		if status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	case <-time.After(4 * ioTimeout):
		t.Error("no answer")
	}
}

func TestWatchIntervalIsBounded(t *testing.T) {
	path, _ := startAgent(t, nil)
	for _, interval := range []string{"1ms", "2h", "-1s", "soon", "1"} {
		if status, body := get(t, newHTTPClient(t, path), "/v1/watch?interval="+interval); status != http.StatusBadRequest || !strings.Contains(body, interval) {
			t.Errorf("%s: %d %s", interval, status, body)
		}
	}
}

func TestWatchersLeaveSlotsForSingleRequests(t *testing.T) {
	t.Parallel()
	path, _ := startAgent(t, func(o *Options) { o.Limits.Connections = 4 })
	client := newHTTPClient(t, path)
	for range 2 {
		resp, err := client.Get("http://agent/v1/watch")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if status, body := get(t, client, "/v1/watch"); status != http.StatusServiceUnavailable {
		t.Errorf("third watcher: %d %s", status, body)
	}
	if status, _ := get(t, client, "/v1/health"); status != http.StatusOK {
		t.Errorf("health: %d", status)
	}
}

// TestSlowReaderIsDisconnected checks that a client that reads nothing loses its connection once
// the buffer is full and ioTimeout has passed.
func TestSlowReaderIsDisconnected(t *testing.T) {
	host := newHost(t)
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe() // has no buffer
		defer client.Close()
		conn := &notifyingConn{Conn: server, closed: make(chan struct{})}
		listener := &singleConnListener{conn: conn, closed: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- Serve(ctx, listener, Options{Host: host, Limits: DefaultLimits()}) }()
		start := time.Now()
		if _, err := io.WriteString(client, "GET /v1/watch HTTP/1.1\r\nHost: agent\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-conn.closed
		if took := time.Since(start); took < ioTimeout || took > 2*ioTimeout {
			t.Errorf("disconnected after %v", took)
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// notifyingConn is a connection that closes a channel when it is closed.
type notifyingConn struct {
	net.Conn
	closed chan struct{}
	once   sync.Once
}

func (c *notifyingConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// singleConnListener is a listener that accepts one connection.
type singleConnListener struct {
	conn     net.Conn
	accepted atomic.Bool
	once     sync.Once
	closed   chan struct{}
}

func (l *singleConnListener) Accept() (net.Conn, error) {
	if !l.accepted.Swap(true) {
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *singleConnListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *singleConnListener) Addr() net.Addr { return l.conn.LocalAddr() }

func TestServeReturnsWhenIdle(t *testing.T) {
	t.Parallel()
	path, served := startAgent(t, func(o *Options) { o.Idle = 300 * time.Millisecond })
	watching, err := newHTTPClient(t, path).Get("http://agent/v1/watch?interval=1s")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(watching.Body)
	for range 2 {
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal("it stopped during a watch:", err)
		}
	}
	watching.Body.Close()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it is still serving")
	}
}

func TestServeReturnsWhenCanceledDuringWatch(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- Serve(ctx, l, Options{Host: newHost(t), Limits: DefaultLimits()}) }()
	watching, err := newHTTPClient(t, path).Get("http://agent/v1/watch")
	if err != nil {
		t.Fatal(err)
	}
	defer watching.Body.Close()
	stop()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(ioTimeout):
		t.Error("it is still serving")
	}
}

func TestServeRejectsInvalidLimits(t *testing.T) {
	for want, change := range map[string]func(*Limits){
		"invalid limit of 1 connections":         func(l *Limits) { l.Connections = 1 },
		"invalid limit of 0 requests per second": func(l *Limits) { l.Requests = 0 },
		"invalid limit of 100 header bytes":      func(l *Limits) { l.HeaderBytes = 100 },
		"invalid minimum watch interval 1ms":     func(l *Limits) { l.MinInterval = time.Millisecond },
		"invalid maximum watch interval 1h0m0s":  func(l *Limits) { l.MinInterval = 2 * time.Hour },
	} {
		limits := DefaultLimits()
		change(&limits)
		l, err := Listen(socketPath(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := Serve(t.Context(), l, Options{Limits: limits}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener is still open: %v", err)
		}
	}
	if err := DefaultLimits().Check(); err != nil {
		t.Error(fmt.Errorf("the defaults: %w", err))
	}
}
