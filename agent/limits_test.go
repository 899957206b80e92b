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
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestAThousandRequestsAtOnceAreAllAnswered(t *testing.T) {
	path, _ := anAgent(t, func(o *Options) { o.Limits.Connections, o.Limits.Requests = 4, 100 })
	client := web(t, path)
	var all sync.WaitGroup
	var counts [600]atomic.Int32
	for range 1000 {
		all.Go(func() {
			answer, err := client.Get("http://agent/v1/health")
			if err != nil {
				t.Error(err)
				return
			}
			answer.Body.Close()
			counts[answer.StatusCode].Add(1)
		})
	}
	all.Wait()
	ok, refused := counts[http.StatusOK].Load(), counts[http.StatusTooManyRequests].Load()
	if ok+refused != 1000 || ok < 100 {
		t.Errorf("%d were answered, %d refused", ok, refused)
	}
}

func TestMoreRequestsThanMayAreRefusedWithAWordOfWhen(t *testing.T) {
	path, _ := anAgent(t, func(o *Options) { o.Limits.Requests = 2 })
	client := web(t, path)
	for {
		answer, err := client.Get("http://agent/v1/version")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusTooManyRequests {
			if answer.Header.Get("Retry-After") != "1" || answer.Header.Get("Content-Type") != health.ProblemType {
				t.Errorf("got %v", answer.Header)
			}
			return
		}
	}
}

func TestABucketRefills(t *testing.T) {
	b, now := newBucket(2), time.Now()
	passed := func() (n int) {
		for range 5 {
			if b.take(now) {
				n++
			}
		}
		return n
	}
	if n := passed(); n != 2 {
		t.Errorf("at first %d pass, of 2 a second", n)
	}
	now = now.Add(500 * time.Millisecond)
	if n := passed(); n != 1 {
		t.Errorf("half a second later %d pass", n)
	}
	now = now.Add(time.Hour)
	if n := passed(); n != 2 {
		t.Errorf("an hour later %d pass: no more than a second's may add up", n)
	}
}

func TestALongHeaderIsNotRead(t *testing.T) {
	path, _ := anAgent(t, nil)
	r, err := http.NewRequest(http.MethodGet, "http://agent/v1/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]int{3 << 10: http.StatusOK, 9 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		r.Header.Set("X-Long", strings.Repeat("x", size))
		answer, err := web(t, path).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%d bytes: %s", size, answer.Status)
		}
	}
}

func TestWatchIntervalsHaveBounds(t *testing.T) {
	path, _ := anAgent(t, nil)
	for _, interval := range []string{"1ms", "2h", "-1s", "soon", "1"} {
		if status, body := get(t, web(t, path), "/v1/watch?interval="+interval); status != http.StatusBadRequest || !strings.Contains(body, interval) {
			t.Errorf("%s: %d %s", interval, status, body)
		}
	}
}

func TestWatchersLeaveRoomForThoseWhoAskOnce(t *testing.T) {
	path, _ := anAgent(t, func(o *Options) { o.Limits.Connections = 4 })
	client := web(t, path)
	for range 2 {
		answer, err := client.Get("http://agent/v1/watch")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if status, body := get(t, client, "/v1/watch"); status != http.StatusServiceUnavailable {
		t.Errorf("a third watcher: %d %s", status, body)
	}
	if status, _ := get(t, client, "/v1/health"); status != http.StatusOK {
		t.Errorf("health: %d", status)
	}
}

// A reader that has sent its request and takes nothing holds a connection for as long as its buffer and our patience last.
func TestASlowReaderIsCutOff(t *testing.T) {
	here, there := net.Pipe() // nothing is buffered in it
	defer there.Close()
	conn := &stuck{Conn: here, until: make(chan struct{})}
	listener := &oneConn{conn: conn, shut: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- Serve(ctx, listener, Options{Host: aHost(t), Limits: DefaultLimits()}) }()
	began := time.Now()
	if _, err := io.WriteString(there, "GET /v1/watch HTTP/1.1\r\nHost: agent\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-conn.until:
	case <-time.After(3 * patience):
		t.Errorf("still there after %v", time.Since(began))
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// stuck is a connection that tells when it is closed.
type stuck struct {
	net.Conn
	until chan struct{}
	once  sync.Once
}

func (s *stuck) Close() error {
	s.once.Do(func() { close(s.until) })
	return s.Conn.Close()
}

// oneConn is a listener that has one connection to give.
type oneConn struct {
	conn  net.Conn
	given atomic.Bool
	once  sync.Once
	shut  chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if !l.given.Swap(true) {
		return l.conn, nil
	}
	<-l.shut
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.shut) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

func TestItLeavesWhenNobodyIsThere(t *testing.T) {
	path, left := anAgent(t, func(o *Options) { o.Idle = 300 * time.Millisecond })
	watching, err := web(t, path).Get("http://agent/v1/watch?interval=1s")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(watching.Body)
	for range 2 {
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal("it left under a watcher's eyes:", err)
		}
	}
	watching.Body.Close()
	select {
	case err := <-left:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it is still there")
	}
}

func TestItEndsWithWatchersWhenItIsToldTo(t *testing.T) {
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- Serve(ctx, l, Options{Host: aHost(t), Limits: DefaultLimits()}) }()
	watching, err := web(t, path).Get("http://agent/v1/watch")
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
	case <-time.After(patience):
		t.Error("it is still there")
	}
}

func TestLimitsThatCannotBeKeptAreRefused(t *testing.T) {
	for want, change := range map[string]func(*Limits){
		"1 connections":            func(l *Limits) { l.Connections = 1 },
		"0 requests a second":      func(l *Limits) { l.Requests = 0 },
		"100 bytes of a header":    func(l *Limits) { l.HeaderBytes = 100 },
		"watch intervals from 1ms": func(l *Limits) { l.MinInterval = time.Millisecond },
		"watch intervals from 2h":  func(l *Limits) { l.MinInterval = 2 * time.Hour },
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
			t.Errorf("the listener is left open: %v", err)
		}
	}
	if err := DefaultLimits().Check(); err != nil {
		t.Error(fmt.Errorf("the defaults: %w", err))
	}
}
