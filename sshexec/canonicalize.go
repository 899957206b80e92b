package sshexec

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// hostsFile lists static names (hosts(5)).
const hostsFile = "/etc/hosts"

// lookupFunc resolves a name to addresses, as [net.Resolver.LookupNetIP] does.
type lookupFunc func(ctx context.Context, network, name string) ([]netip.Addr, error)

// canonicalizes reports whether CanonicalizeHostname applies.
func (e *evaluation) canonicalizes() bool {
	value := strings.ToLower(e.first("canonicalizehostname"))
	return value == "yes" || value == "true" || value == "always"
}

// canonicalize returns the canonical form of a normalized host name: the first of the
// CanonicalDomains in which the name exists is appended (resolve_canonicalize in ssh.c). Names are
// looked up as for connections to them. It reports false if ssh has to resolve the target instead.
func (e *evaluation) canonicalize(hostname string) (string, bool, error) {
	isProxied := noneIsEmpty(e.first("proxycommand")) != "" || noneIsEmpty(e.first("proxyjump")) != ""
	if isProxied && !strings.EqualFold(e.first("canonicalizehostname"), "always") {
		return hostname, true, nil
	}
	if strings.Contains(hostname, ":") || strings.Trim(hostname, "0123456789.") == "" {
		return hostname, true, nil // an address
	}
	maxDots := 1
	if text := e.first("canonicalizemaxdots"); text != "" {
		var err error
		if maxDots, err = strconv.Atoi(text); err != nil {
			return "", false, err
		}
	}
	switch {
	case strings.HasSuffix(hostname, "."):
		return "", false, nil
	case strings.Count(hostname, ".") > maxDots:
		return hostname, true, nil
	}
	var domains []string
	if v := e.values["canonicaldomains"]; len(v) > 0 {
		domains = v[0].args
	}
	network := map[string]string{"inet": "ip4", "inet6": "ip6"}[strings.ToLower(e.first("addressfamily"))]
	if network == "" {
		network = "ip"
	}
	for _, domain := range domains {
		if strings.EqualFold(domain, "none") {
			break
		}
		name := hostname + "." + domain
		if e.pool.resolver.isStaticName(name) {
			// Whether ssh finds it depends on the implementation of getaddrinfo(3).
			return "", false, nil
		}
		addresses, err := e.pool.resolver.lookup(e.ctx, network, name+".")
		if e.ctx.Err() != nil {
			return "", false, context.Cause(e.ctx)
		}
		if err == nil && len(addresses) > 0 {
			return name, true, nil
		}
	}
	if value := strings.ToLower(e.first("canonicalizefallbacklocal")); value == "no" || value == "false" {
		return "", false, fmt.Errorf("%s: no CanonicalDomains has the host %q, and CanonicalizeFallbackLocal is no",
			e.origin("canonicalizefallbacklocal"), hostname)
	}
	return hostname, true, nil
}

// isStaticName reports whether the file of static names has a name.
func (r *resolver) isStaticName(name string) bool {
	stamp := newFileStamp(hostsFile)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.staticNames == nil || r.staticNamesAt != stamp {
		text, _ := os.ReadFile(hostsFile)
		r.staticNames, r.staticNamesAt = strings.Fields(strings.ToLower(string(text))), stamp
		slices.Sort(r.staticNames)
	}
	_, found := slices.BinarySearch(r.staticNames, strings.ToLower(name))
	return found
}

func defaultLookup(ctx context.Context, network, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, sshQueryTimeout)
	defer cancel()
	return net.DefaultResolver.LookupNetIP(ctx, network, name)
}
