package inventory

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
)

// settle decides what a host leaves open, and looks at what only the whole of it can tell.
func (r *reader) settle(h *Host, e *entry) {
	who := "host " + quote(h.Name)

	if h.Kind == "" && !r.isSet(e, "kind") {
		r.missing(h, who+" has no kind", `say kind = "nixos", "darwin" or "home", here or in [defaults]`)
	}
	if h.Repo == "" && !h.Managed && !r.isSet(e, "repo") {
		r.missing(h, who+" has no repo", `say where its checkout is, here or in [defaults]: repo = "~/Code/nixcfg"`)
	}
	if h.Managed && r.inv.Remote == "" && !r.isSetIn("fleet", "remote") {
		r.note(r.whereSet(e, "repo_mode"), `repo_mode is "managed", and there is no remote to clone`, `say it in [fleet]: remote = "git@github.com:you/nixcfg.git"`)
	}
	if h.Attr == "" && e.table.get("attr") == nil {
		h.Attr = h.Name
		if h.Kind == Home && h.User != "" {
			h.Attr = h.User + "@" + h.Name
		} else if h.Kind == Home {
			r.missing(h, who+" is a home and does not say whose", fmt.Sprintf("say attr = %s", quote("USER@"+h.Name)))
		}
		return
	}
	if h.Kind != Home || h.Attr == "" {
		return
	}
	owner, machine, _ := strings.Cut(h.Attr, "@")
	switch {
	case owner == "" || machine == "":
		name := cmp.Or(strings.Trim(h.Attr, "@"), h.Name)
		r.note(r.whereSet(e, "attr"), fmt.Sprintf("%s: attr %s does not say whose home it is", who, quote(h.Attr)), "write "+quote(cmp.Or(h.User, "USER")+"@"+name))
	case h.User != "" && h.User != owner:
		r.note(r.whereSet(e, "attr"), fmt.Sprintf("%s: attr %s is the home of %s, but user is %s", who, quote(h.Attr), quote(owner), quote(h.User)),
			"a home is switched by its owner: set user = "+quote(owner))
	}
}

// tellApart finds hosts that a deploy or its records would take for each other.
func (r *reader) tellApart(entries map[*Host]*entry) {
	folded := make(map[string]*Host)
	targets := make(map[string]*Host)
	for _, h := range r.inv.Hosts {
		if other := folded[strings.ToLower(h.Name)]; other == nil {
			folded[strings.ToLower(h.Name)] = h
		} else if other.Name != h.Name {
			r.noteHost(h, fmt.Sprintf("host %s differs from %s in case alone", quote(h.Name), quote(other.Name)), "their logs would share a file on a Mac: rename one")
		}
		other := targets[h.target()]
		if other == nil {
			targets[h.target()] = h
			continue
		}
		if other.Name == h.Name || h.Kind == "" || h.Attr == "" {
			continue // said already
		}
		what := "the system"
		if h.Kind == Home {
			what = "the same home"
		}
		r.note(r.whereSet(entries[h], "address"), fmt.Sprintf("host %s is the same target as %s", quote(h.Name), quote(other.Name)),
			fmt.Sprintf("both switch %s at %s: correct an address, or leave it to ~/.ssh/config, or drop one", what, h.machine()))
	}
}

// target is what a deploy to the host changes: a machine's system, or one user's home there.
func (h *Host) target() string {
	what := "system"
	if h.Kind == Home {
		owner, _, _ := strings.Cut(h.Attr, "@")
		what = "home of " + owner
	}
	return fmt.Sprintf("%s port %d %s", h.machine(), h.Port, what)
}

// machine is where the host is, as far as the inventory knows.
func (h *Host) machine() string { return Machine(cmp.Or(h.Address, h.Name)) }

// Machine is a host's name or address in one spelling: what is equal is the same machine.
func Machine(where string) string {
	if ip, err := netip.ParseAddr(where); err == nil {
		return ip.String()
	}
	return strings.TrimSuffix(strings.ToLower(where), ".")
}

// missing notes what a host lacks, unless it may be in what could not be read.
func (r *reader) missing(h *Host, message, hint string) {
	if !r.broken {
		r.noteHost(h, message, hint)
	}
}

func (r *reader) noteHost(h *Host, message, hint string) {
	r.findings = append(r.findings, r.inv.Finding(h, message, hint))
}

// isSet tells whether a host's key is given at all, be it wrongly, there or in [defaults].
func (r *reader) isSet(host *entry, key string) bool {
	return host.table.get(key) != nil || r.isSetIn("defaults", key)
}

func (r *reader) isSetIn(table, key string) bool {
	e := r.root.get(table)
	return e != nil && e.table.get(key) != nil
}

// whereSet is where a host's key has its value: in the host, else in [defaults], else where the host is named.
func (r *reader) whereSet(host *entry, key string) int {
	if e := host.table.get(key); e != nil {
		return e.value.at
	}
	if r.isSetIn("defaults", key) {
		return r.root.get("defaults").table.get(key).value.at
	}
	return host.at
}
