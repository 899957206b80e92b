package engine

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

const (
	checkEvery = time.Second
	checkLimit = 5 * time.Second  // for one attempt of one check
	settleTime = 30 * time.Second // for services to come up after a switch
)

// problem is what is wrong with a host that was switched.
type problem struct {
	code   fleet.Code
	reason string
}

// checks look at a host that was switched from outside: does a new login work, do its services answer? They begin when the activation ends,
// beside the job's own verification, and are tried again until they succeed or are ended.
type checks struct {
	cancel    context.CancelFunc
	done      chan struct{} // closed at their end
	wrong     *problem      // to be read after that: nil where nothing is
	confirmed atomic.Bool   // the job has heard that a new login works
}

func beginChecks(ctx context.Context, p *prober) *checks {
	ctx, cancel := context.WithCancel(ctx)
	c := &checks{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		p.confirmed = &c.confirmed
		if f := fleet.CatchPanic(func() { c.wrong = p.run(ctx) }); f != nil {
			c.wrong = &problem{fleet.CodeFault, f.Error()}
		}
	}()
	return c
}

// wait returns what is wrong, if anything still is when limit is over.
func (c *checks) wait(limit time.Duration) *problem {
	defer time.AfterFunc(limit, c.cancel).Stop()
	defer c.cancel()
	<-c.done
	return c.wrong
}

func (c *checks) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// prober makes one round after the other.
type prober struct {
	dialer    host.Dialer
	host      *inventory.Host
	confirms  string            // the job that waits to hear that a new login works; "" once it has, or where none does
	confirmed *atomic.Bool      // that it has
	probes    []inventory.Check // health checks that have not succeeded yet
	conn      host.Conn         // the new login; nil before it worked
	refusals  int               // in a row
}

func (p *prober) run(ctx context.Context) *problem {
	defer func() {
		if p.conn != nil {
			p.conn.Close()
		}
	}()
	wrong := &problem{fleet.CodeLogin, "a new login got no answer"}
	for {
		now := p.round(ctx)
		if now == nil {
			return nil
		}
		if ctx.Err() == nil {
			wrong = now // else it may be wrong only for being ended
		}
		// Twice turned away is an answer; more failed logins may shut the address out.
		if p.refusals == 2 || !host.Sleep(ctx, checkEvery*time.Duration(1+2*p.refusals)) {
			return wrong
		}
	}
}

func (p *prober) round(ctx context.Context) *problem {
	if p.conn == nil {
		if wrong := p.login(ctx); wrong != nil {
			return wrong
		}
	}
	if p.confirms != "" {
		if wrong := p.confirm(ctx); wrong != nil {
			p.conn.Close()
			p.conn = nil
			return wrong
		}
	}
	for len(p.probes) > 0 {
		err := p.probe(ctx, p.probes[0])
		if err == nil {
			p.probes = p.probes[1:]
			continue
		}
		if !p.probes[0].Operator && p.alive(ctx) != nil { // then it was the connection that failed, and a new one may be had
			p.conn.Close()
			p.conn = nil
		}
		return &problem{fleet.CodeHealth, fmt.Sprintf("the health check %q fails: %s", p.probes[0], host.Reason(err, p.host))}
	}
	return nil
}

// login logs in anew, and runs something: that is for the confirmation to do, where there is one.
func (p *prober) login(ctx context.Context) *problem {
	conn, err := p.dialer.Dial(ctx, p.host)
	if err != nil {
		if host.IsOffline(err) {
			p.refusals = 0
		} else {
			p.refusals++
		}
		return &problem{fleet.CodeLogin, "a new login does not work: " + host.Reason(err, p.host)}
	}
	p.conn, p.refusals = conn, 0
	if p.confirms != "" {
		return nil
	}
	if err := p.alive(ctx); err != nil {
		conn.Close()
		p.conn = nil
		return &problem{fleet.CodeLogin, "a new login works, but runs nothing: " + host.Reason(err, p.host)}
	}
	return nil
}

// confirm tells the job, over the new login, that there is one. A job that has ended needs no telling.
func (p *prober) confirm(ctx context.Context) *problem {
	header, err := tellJob(ctx, p.conn, p.confirms, wordConfirm)
	switch {
	case err != nil:
		return &problem{fleet.CodeLogin, "a new login works, but cannot confirm: " + host.Reason(err, p.host)}
	case header.Word == "refused" && header.Code != "finished":
		return &problem{fleet.CodeLogin, "a new login works, but the host does not take its word: " + clean.Line([]byte(header.Code))}
	}
	p.confirms = ""
	p.confirmed.Store(true)
	return nil
}

// alive runs the least there is.
func (p *prober) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	return p.exec(ctx, "true")
}

func (p *prober) exec(ctx context.Context, command string) error {
	script := remote.Exec(command)
	exit, err := p.conn.Run(ctx, host.Command{Script: script.Text, Args: script.Args})
	if err == nil && exit != 0 {
		err = fmt.Errorf("exit status %d", exit)
	}
	return err
}

// probe makes one attempt of one check, from the host or from here.
func (p *prober) probe(ctx context.Context, check inventory.Check) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	transport := &http.Transport{DialContext: p.conn.DialContext}
	if check.Operator {
		transport = &http.Transport{DialContext: (&net.Dialer{}).DialContext, Proxy: http.ProxyFromEnvironment}
	}
	switch {
	case check.Command() && check.Operator:
		return host.RunLocal(ctx, check.What, nil, "FLEETCTL_HOST="+p.host.Name)
	case check.Command():
		return p.exec(ctx, check.What)
	case check.Web():
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, check.What, nil)
		if err != nil {
			return err
		}
		return host.Do(transport, request, check.Status, 400)
	}
	conn, err := transport.DialContext(ctx, "tcp", strings.TrimPrefix(check.What, "tcp://"))
	if err != nil {
		return err
	}
	return conn.Close()
}
