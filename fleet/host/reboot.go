package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// RebootOptions are what an operator asks of a reboot.
type RebootOptions struct {
	IfNeeded bool          // leave a host alone that neither needs a reboot nor starts another system with it
	Limit    time.Duration // for a host to be back
	Parallel int           // hosts of a wave at once
	// SudoPassword is as in [Engine].
	SudoPassword func(ctx context.Context, host string, again bool) (string, error)
}

// RebootWord is how a reboot ended.
type RebootWord string

const (
	Rebooted        RebootWord = "rebooted"    // the host is in another boot than before, and lets us in
	RebootNotNeeded RebootWord = "not-needed"  // with IfNeeded
	RebootSkipped   RebootWord = "skipped"     // not begun, and Reason says why
	RebootRefused   RebootWord = "refused"     // the host answered, and was not rebooted
	RebootAway      RebootWord = "unreachable" // nothing answered, so nothing was begun
	RebootLost      RebootWord = "lost"        // begun, and not back in time
)

// RebootResult is how it went on one host.
type RebootResult struct {
	Host    string
	Word    RebootWord
	Reason  string
	Hint    string
	Seconds float64
}

// Reboot starts hosts anew, wave after wave, and gives each one's result to sink, from one goroutine. That a host was rebooted is
// proven by its boot id alone: a login that works again may be one that never stopped working. A wave with a host that was refused or
// lost keeps later waves from being begun.
func Reboot(ctx context.Context, d Dialer, inv *inventory.Inventory, hosts []*inventory.Host, o RebootOptions, sink func(RebootResult)) {
	stop := ""
	for _, wave := range fleet.GroupByWave(hosts) {
		ended := make(chan RebootResult)
		go func() {
			defer close(ended)
			Each(ctx, wave.Hosts, o.Parallel, func(ctx context.Context, h *inventory.Host) {
				began := time.Now()
				result := rebootHost(ctx, d, inv, h, o, stop)
				result.Host, result.Seconds = h.Name, time.Since(began).Seconds()
				ended <- result
			})
		}()
		bad := ""
		for r := range ended {
			if r.Word == RebootRefused || r.Word == RebootLost {
				bad = fmt.Sprintf("wave %d failed: %s", wave.Number, r.Host)
			}
			sink(r)
		}
		if stop == "" {
			stop = bad
		}
	}
}

func rebootHost(ctx context.Context, d Dialer, inv *inventory.Inventory, h *inventory.Host, o RebootOptions, stop string) RebootResult {
	switch {
	case stop != "":
		return RebootResult{Word: RebootSkipped, Reason: stop}
	case ctx.Err() != nil:
		return RebootResult{Word: RebootSkipped, Reason: "interrupted before it began"}
	case h.Kind == inventory.Home:
		return RebootResult{Word: RebootSkipped, Reason: "it is a user's home, not a machine"}
	}
	client := newStatusClient(d, inv, h)
	defer client.close()
	status := client.ask(ctx)
	if status.Err != nil {
		return rebootNotBegun(NotReached(status.Err, h))
	}
	if s := status.Health.System; o.IfNeeded && !s.RebootNeeded && !s.BootPending {
		return RebootResult{Word: RebootNotNeeded}
	}
	header, err := orderReboot(ctx, client.conn, h, o)
	switch {
	case errors.Is(err, ErrSilent), err != nil && status.Health.BootID == "":
		return RebootResult{Word: RebootRefused, Reason: Reason(err, h)}
	case err != nil: // the order may have been heard
		client.close()
		return awaitBoot(ctx, d, h, status.Health.BootID, o.Limit)
	case header.Word != "rebooting":
		return rebootNotBegun(Refused(fleet.Connect, header, h))
	}
	client.close()
	return awaitBoot(ctx, d, h, header.Code, o.Limit)
}

func rebootNotBegun(r *fleet.Result) RebootResult {
	word := RebootRefused
	switch r.Outcome {
	case fleet.Unreachable:
		word = RebootAway
	case fleet.Skipped:
		word = RebootSkipped
	}
	return RebootResult{Word: word, Reason: r.Reason, Hint: r.Hint}
}

// orderReboot gives the order, with sudo's password where it wants one.
func orderReboot(ctx context.Context, conn Conn, h *inventory.Host, o RebootOptions) (remote.Header, error) {
	var password *PasswordReader
	prompt := ""
	for {
		header, err := tellReboot(ctx, conn, prompt, password)
		asked := header.Code == "sudo-password" || header.Code == "sudo-wrong"
		if err != nil || header.Word != "refused" || !asked || o.SudoPassword == nil {
			return header, err
		}
		secret, err := o.SudoPassword(ctx, h.Name, header.Code == "sudo-wrong")
		if err != nil {
			return header, err
		}
		prompt = remote.Token()
		password = NewPasswordReader(prompt, secret)
	}
}

func tellReboot(ctx context.Context, conn Conn, prompt string, password *PasswordReader) (remote.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, Grace)
	defer cancel()
	token := remote.Token()
	s := OpenSession(ctx, conn, remote.Reboot(token, prompt), token, password)
	defer s.Close()
	header, _, err := s.read(0)
	return header, err
}

// awaitBoot waits until the host is in another boot.
func awaitBoot(ctx context.Context, d Dialer, h *inventory.Host, before string, limit time.Duration) RebootResult {
	late, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	last := errors.New("it is still in the boot that was to end")
	for try := 0; Sleep(late, Backoff(try)); try++ {
		now, err := bootOf(late, d, h)
		switch {
		case err == nil && now != before:
			return RebootResult{Word: Rebooted}
		case err == nil:
			last = errors.New("it is still in the boot that was to end")
		case late.Err() == nil:
			last = err
		}
	}
	if ctx.Err() != nil {
		return RebootResult{Word: RebootLost, Reason: "interrupted while it was on its way down or up"}
	}
	return RebootResult{
		Word: RebootLost, Reason: fmt.Sprintf("not back after %v: %s", limit, Reason(last, h)),
		Hint: "check its console; it may only need more time",
	}
}

func bootOf(ctx context.Context, d Dialer, h *inventory.Host) (string, error) {
	conn, err := d.Dial(ctx, h)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	header, err := Ask(ctx, conn, remote.Boot)
	if err == nil && (header.Word != "booted" || header.Code == "") {
		err = fmt.Errorf("the host does not say which boot it is in")
	}
	return header.Code, err
}
