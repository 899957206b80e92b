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
	checkInterval = time.Second
	checkTimeout  = 5 * time.Second  // of one attempt of one check
	settleTime    = 30 * time.Second // for services to come up after a switch
)

// problem is what a check has found on a switched host.
type problem struct {
	code   fleet.Code
	reason string
}

// postChecks check a switched host from outside: does a new login work, do its services answer?
// They start when the activation ends, next to the job's own verification, and are repeated until
// they succeed or are stopped.
type postChecks struct {
	cancel    context.CancelFunc
	done      chan struct{} // closed when the checks have ended
	problem   *problem      // valid after that; nil if the checks succeeded
	confirmed atomic.Bool   // the job knows that a new login works
	short     atomic.Bool   // this machine lacks what it takes for a new login
}

func startPostChecks(ctx context.Context, p *prober) *postChecks {
	ctx, cancel := context.WithCancel(ctx)
	c := &postChecks{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		p.confirmed, p.short = &c.confirmed, &c.short
		if panicked := fleet.CatchPanic(func() { c.problem = p.run(ctx) }); panicked != nil {
			c.problem = &problem{fleet.CodeFault, panicked.Error()}
		}
	}()
	return c
}

// startChecks starts the checks of the worker's host, once.
func (w *worker) startChecks(ctx context.Context) {
	if w.checks != nil {
		return
	}
	p := &prober{dialer: w.engine.Dialer, host: w.host}
	_, p.probes = host.SplitHealth(w.host.Health)
	if w.confirming() {
		p.confirmJob = w.signals.job
	}
	w.checks = startPostChecks(ctx, p)
}

// wait returns the problem that remains after limit, or nil.
func (c *postChecks) wait(limit time.Duration) *problem {
	defer time.AfterFunc(limit, c.cancel).Stop()
	defer c.cancel()
	<-c.done
	return c.problem
}

// running returns a channel that is closed when the checks end, or nil if none run. c may be nil.
func (c *postChecks) running() <-chan struct{} {
	if c == nil || c.finished() {
		return nil
	}
	return c.done
}

// failed reports whether the checks have ended with a problem. c may be nil.
func (c *postChecks) failed() bool { return c != nil && c.finished() && c.problem != nil }

// hasConfirmed reports whether the job knows that a new login works. c may be nil.
func (c *postChecks) hasConfirmed() bool { return c != nil && c.confirmed.Load() }

// isShort reports whether the last login failed because of this machine. c may be nil.
func (c *postChecks) isShort() bool { return c != nil && c.short.Load() }

func (c *postChecks) finished() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// prober runs one round of checks after the other.
type prober struct {
	dialer host.Dialer
	host   *inventory.Host
	// ID of the job to confirm over the new login, or "" if there is none left
	confirmJob string
	confirmed  *atomic.Bool      // set once it is confirmed
	short      *atomic.Bool      // set if the last login failed because of this machine
	probes     []inventory.Check // health checks that have not succeeded yet
	conn       host.Conn         // the new login; nil until it works
	rejections int               // of the login, in a row
}

func (p *prober) run(ctx context.Context) *problem {
	defer p.disconnect()
	last := &problem{fleet.CodeLogin, "a new login got no answer"}
	for {
		found := p.round(ctx)
		if found == nil {
			return nil
		}
		if ctx.Err() == nil { // otherwise it may have failed only because it was stopped
			last = found
		}
		// Two rejections are an answer, and more failed logins may block the operator's address.
		if p.rejections == 2 || !host.Sleep(ctx, checkInterval*time.Duration(1+2*p.rejections)) {
			return last
		}
	}
}

func (p *prober) round(ctx context.Context) *problem {
	if p.conn == nil {
		if found := p.login(ctx); found != nil {
			return found
		}
	}
	if p.confirmJob != "" {
		if found := p.confirm(ctx); found != nil {
			p.disconnect()
			return found
		}
	}
	for len(p.probes) > 0 {
		check := p.probes[0]
		err := p.probe(ctx, check)
		if err == nil {
			p.probes = p.probes[1:]
			continue
		}
		if !check.Operator && p.alive(ctx) != nil { // the connection failed, not the check
			p.disconnect()
		}
		return &problem{fleet.CodeHealth, fmt.Sprintf("health check %q failed: %s", check, host.Reason(err, p.host))}
	}
	return nil
}

func (p *prober) disconnect() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// login logs in again. Unless there is a job to confirm, which does the same, it also runs a
// command.
func (p *prober) login(ctx context.Context) *problem {
	conn, err := p.dialer.Dial(ctx, p.host)
	p.short.Store(host.IsShortage(err))
	if err != nil {
		if host.IsOffline(err) {
			p.rejections = 0
		} else {
			p.rejections++
		}
		return &problem{fleet.CodeLogin, "a new login does not work: " + host.Reason(err, p.host)}
	}
	p.conn, p.rejections = conn, 0
	if p.confirmJob != "" {
		return nil
	}
	if err := p.alive(ctx); err != nil {
		p.disconnect()
		return &problem{fleet.CodeLogin, "a new login works, but cannot run commands: " + host.Reason(err, p.host)}
	}
	return nil
}

// confirm confirms the job over the new login. A job that has finished needs no confirmation.
func (p *prober) confirm(ctx context.Context) *problem {
	header, err := signalJob(ctx, p.conn, p.confirmJob, signalConfirm, "", p.host.Timeouts.Grace)
	switch {
	case err != nil:
		return &problem{fleet.CodeLogin, "a new login works, but cannot confirm: " + host.Reason(err, p.host)}
	case header.Word == "refused" && header.Code == "silent":
		return &problem{fleet.CodeLogin, "an SSH server of the host that answered before does not answer now"}
	case header.Word == "refused" && header.Code != "finished":
		return &problem{fleet.CodeLogin, "a new login works, but the host refused the confirmation: " + clean.Line([]byte(header.Code))}
	}
	p.confirmJob = ""
	p.confirmed.Store(true)
	return nil
}

// alive runs a command that does nothing.
func (p *prober) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
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

// probe makes one attempt of a check, from the host or from the operator's machine.
func (p *prober) probe(ctx context.Context, check inventory.Check) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
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
		return host.CheckHTTP(transport, request, check.Status, 400)
	}
	conn, err := transport.DialContext(ctx, "tcp", strings.TrimPrefix(check.What, "tcp://"))
	if err != nil {
		return err
	}
	return conn.Close()
}
