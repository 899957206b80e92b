package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// thisMachine knows which hosts of an inventory are the machine that fleetctl runs on.
//
// A mistake would put the configuration of another host on it. So a host is never this machine
// unless it has its name, whatever the inventory says, and "auto" also needs an address that does
// not contradict that.
type thisMachine struct {
	name, user, system string // host name without a domain, login name, GOOS
	// fleetctl runs in a container, which may have the name and the addresses of its host
	inContainer bool
	addresses   func() ([]netip.Addr, error)
	lookup      func(ctx context.Context, name string) ([]netip.Addr, error)
	resolve     resolveFunc
}

// lookupTimeout limits a lookup of the host's own name, which has no answer without a network.
const lookupTimeout = time.Second

func (env *Env) thisMachine(resolve resolveFunc) *thisMachine {
	m := &thisMachine{name: env.Machine, user: env.User, system: runtime.GOOS, inContainer: env.InContainer, addresses: interfaceAddresses, resolve: resolve}
	m.lookup = func(ctx context.Context, name string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	}
	return m
}

func interfaceAddresses() ([]netip.Addr, error) {
	found, err := net.InterfaceAddrs()
	var addresses []netip.Addr
	for _, a := range found {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			addresses = append(addresses, prefix.Addr())
		}
	}
	return addresses, err
}

// findLocal sets Local of the hosts that are worked on without SSH.
func (env *Env) findLocal(ctx context.Context, inv *inventory.Inventory) {
	var m *thisMachine
	for _, h := range inv.Hosts {
		switch {
		case h.Connect == inventory.ConnectLocal:
			h.Local = true // Dial refuses it on another machine
		case h.Connect == inventory.ConnectAuto && sameName(h.Name, env.Machine):
			if m == nil {
				pool := newPool(env)
				defer pool.Close()
				m = env.thisMachine(pool.Resolve)
			}
			h.Local = m.is(ctx, h)
		}
	}
}

// is reports whether a host with connect = "auto" is this machine.
func (m *thisMachine) is(ctx context.Context, h *inventory.Host) bool {
	if m.inContainer || !sameName(h.Name, m.name) || m.mismatch(h) != "" {
		return false
	}
	s, err := m.resolve(ctx, target(h))
	// Behind another port can be another machine: a virtual machine or a tunnel.
	if err != nil || s.User != m.user || s.Port != 22 || s.ProxyJump != "" || s.ProxyCommand != "" {
		return false
	}
	own, err := m.addresses()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	isOwn := func(a netip.Addr) bool {
		a = a.Unmap()
		return a.IsLoopback() || slices.ContainsFunc(own, func(o netip.Addr) bool { return o.Unmap().WithZone("") == a.WithZone("") })
	}
	addresses := h.Addresses
	if len(addresses) == 0 {
		addresses = []string{s.Hostname}
	}
	resolves := false
	for _, name := range addresses {
		found := []netip.Addr{}
		if a, err := netip.ParseAddr(name); err == nil {
			found = append(found, a)
		} else if found, err = m.lookup(ctx, name); err != nil {
			continue
		}
		resolves = resolves || len(found) > 0
		if slices.ContainsFunc(found, isOwn) {
			return true
		}
	}
	// A name that no network knows does not count against this machine, unless it was set as the
	// address.
	return !resolves && h.Address == "" && strings.EqualFold(s.Hostname, h.Name)
}

// refusal returns why a local host cannot be worked on here, or nil.
func (m *thisMachine) refusal(h *inventory.Host) error {
	names := []string{h.Name, h.Attr}
	if h.Kind == inventory.Home {
		_, names[1], _ = strings.Cut(h.Attr, "@")
	}
	e := &localError{host: h.Name}
	switch mismatch := m.mismatch(h); {
	case !slices.ContainsFunc(names, func(name string) bool { return sameName(name, m.name) }):
		e.text = fmt.Sprintf("it is worked on locally, and the machine that fleetctl runs on is %q", m.name)
		e.hint = fmt.Sprintf("run fleetctl there, or set connect = %q; if this machine is to become %s, name it so first: sudo hostname %[2]s", inventory.ConnectSSH, h.Name)
	case mismatch != "":
		e.text, e.hint = mismatch, fmt.Sprintf("run fleetctl as that user, correct kind or user in hosts.toml, or set connect = %q", inventory.ConnectSSH)
	default:
		return nil
	}
	return e
}

// mismatch returns what of a host is not so on this machine, apart from the name, or "".
func (m *thisMachine) mismatch(h *inventory.Host) string {
	systems := map[inventory.Kind]string{inventory.NixOS: "linux", inventory.Darwin: "darwin"}
	switch system := systems[h.Kind]; {
	case system != "" && system != m.system:
		return fmt.Sprintf("its kind is %q, and this machine runs %s", h.Kind, m.system)
	case h.User != "" && h.User != m.user:
		return fmt.Sprintf("its user is %q, and fleetctl runs as %q", h.User, m.user)
	}
	return ""
}

// sameName reports whether two host names are the same without their domains.
func sameName(a, b string) bool {
	a, _, _ = strings.Cut(a, ".")
	b, _, _ = strings.Cut(b, ".")
	return a != "" && strings.EqualFold(a, b)
}

// localError is a refusal of a local host. It implements [host.Refusal].
type localError struct{ host, text, hint string }

func (e *localError) Error() string { return e.host + ": connect: " + e.text }

func (e *localError) Offline() bool { return false }

func (e *localError) Hint() string { return e.hint }

func (e *localError) Code() string { return string(fleet.CodeNotLocal) }
