package sshexec

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

func TestFirstLoginsWaitForRoom(t *testing.T) {
	t.Parallel()
	a, b := faultyServer(t, nil), faultyServer(t, nil)
	home := newTestHome(t).trust(a).trust(b)
	home.MaxConns = 1
	p := home.pool()
	first := home.dial(p, targetOf(a))
	other := targetOf(b)
	other.Name, other.Timeout = "other", 100*time.Millisecond
	_, err := p.Dial(home.ctx(), other)
	if e := wantError(t, err, KindShortage); !e.Offline() {
		t.Errorf("%v", err)
	}
	if b.Connections() != 0 {
		t.Error("the server that there was no room for was connected to")
	}
	home.dial(p, targetOf(a)).Close() // a host that was logged in to does not wait
	other.Timeout = time.Minute
	arrived := make(chan error)
	go func() {
		c, err := p.Dial(home.ctx(), other)
		if err == nil {
			c.Close()
		}
		arrived <- err
	}()
	first.Close()
	if err := <-arrived; err != nil {
		t.Error(err)
	}
}

func TestBastionsTakeNoRoom(t *testing.T) {
	t.Parallel()
	bastion, target := faultyServer(t, nil), faultyServer(t, nil)
	home := newTestHome(t).trust(bastion, target)
	home.MaxConns = 1
	p := home.pool()
	for i := range 3 {
		web := home.configureJumps(target, bastion)
		web.Name = fmt.Sprint("web", i)
		home.dial(p, web).Close()
	}
}

func TestLaterLoginsDoNotQueueBehindFirstOnes(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	healthy := faultyServer(t, nil)
	slow := faultyServer(t, func(int) sshtest.Fault {
		<-hold
		return sshtest.Fault{}
	})
	home := newTestHome(t).trust(healthy).trust(slow)
	home.MaxHandshakes = 1
	p := home.pool()
	home.dial(p, targetOf(healthy)).Close()
	ctx, cancel := context.WithCancel(home.ctx())
	queued := make(chan error)
	for i := range 3 {
		go func() {
			target := targetOf(slow)
			target.Name = fmt.Sprint("slow", i)
			_, err := p.Dial(ctx, target)
			queued <- err
		}()
	}
	for slow.Connections() == 0 {
		time.Sleep(time.Millisecond)
	}
	home.dial(p, targetOf(healthy)).Close() // it would wait for ever in their queue
	cancel()
	for range 3 {
		if err := <-queued; err == nil {
			t.Error("a login to a server that does not answer succeeded")
		}
	}
	close(hold)
}

func TestLocalShortageIsNotTheHostsFault(t *testing.T) {
	for _, cause := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS} {
		err := connectError(t.Context(), Target{Name: "web"}, Settings{}, fmt.Errorf("dial tcp: socket: %w", cause))
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindShortage || !e.Offline() || e.Fix == "" {
			t.Errorf("%v: %+v", cause, err)
		}
	}
}
