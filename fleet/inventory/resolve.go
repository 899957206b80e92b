package inventory

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// resolve fills in what a host leaves open, and checks the keys that depend on each other.
func (d *decoder) resolve(h *Host, e *entry) {
	label := "host " + quote(h.Name)

	if len(h.Addresses) > 0 {
		if e.table.get("address") != nil {
			d.report(d.valueOffset(e, "addresses"), label+" has both address and addresses", "list all of its addresses in addresses, and remove address")
		}
		h.Address = h.Addresses[0]
	}
	if h.Kind == "" && !d.isSet(e, "kind") {
		d.reportMissing(h, label+" has no kind", fmt.Sprintf("set kind to %s, here or in [defaults]", oneOf(kinds())))
	}
	if h.Repo == "" && !h.Managed && h.Builder == "" && !d.isSet(e, "repo") {
		d.reportMissing(h, label+" has no repo", `set the path of its checkout, here or in [defaults]: repo = "~/Code/nixcfg"`)
	}
	if h.Managed && d.inv.Remote == "" && !d.isSetIn("fleet", "remote") {
		d.report(d.valueOffset(e, "repo_mode"), `repo_mode is "managed", but there is no remote to clone`,
			`set it in [fleet]: remote = "git@github.com:you/nixcfg.git"`)
	}
	switch {
	case e.table.get("attr") == nil && h.Kind == Home && h.User == "":
		h.Attr = h.Name
		d.reportMissing(h, label+" is a home without an owner", "set attr = "+quote("USER@"+h.Name))
	case e.table.get("attr") == nil && h.Kind == Home:
		h.Attr = h.User + "@" + h.Name
	case e.table.get("attr") == nil:
		h.Attr = h.Name
	case h.Kind == Home && h.Attr != "":
		d.checkHomeAttr(h, label, d.valueOffset(e, "attr"))
	}
}

// durationLike matches what a user may write who takes build for timeouts.build.
var durationLike = regexp.MustCompile(`^[0-9]+(s|m|h)$`)

// resolveBuilder checks the host that builds for h, if there is one. One that builds for all hosts
// does not build for itself.
func (d *decoder) resolveBuilder(h *Host, e *entry) {
	own := e.table.get("build") != nil
	at, label := d.valueOffset(e, "build"), "host "+quote(h.Name)
	switch {
	case h.Builder == "":
		return
	case h.Builder == h.Name && own:
		d.report(at, label+": build names the host itself", "write build = "+quote(BuiltByHost))
		h.Builder = ""
	case h.Builder == h.Name, h.SwitchCommand != "" && !own:
		h.Builder = ""
	case h.SwitchCommand != "":
		d.report(at, label+": build has no effect with a switch_command, which builds what it needs", "remove build or switch_command")
	case d.inv.Host(h.Builder) == nil && own && durationLike.MatchString(h.Builder):
		d.report(at, label+": build is not a time limit", "the limit is timeouts.build: write timeouts.build = "+quote(h.Builder))
	case d.inv.Host(h.Builder) == nil:
		var names []string
		for _, other := range d.inv.Hosts {
			names = append(names, other.Name)
		}
		d.report(at, fmt.Sprintf("%s: build names %s, which is not a host of the inventory", label, quote(h.Builder)),
			cmp.Or(DidYouMean(h.Builder, names), `use "host" or the name of another host`))
	case d.inv.Remote == "" && !d.isSetIn("fleet", "remote"):
		d.report(at, label+": another host builds for it, but there is no remote to clone there",
			`set it in [fleet]: remote = "git@github.com:you/nixcfg.git"`)
	}
}

// reportBuilderCycles reports hosts that build for each other: none of them could be the first to
// get what the builds of the others need.
func (d *decoder) reportBuilderCycles(entries map[*Host]*entry) {
	reported := make(map[*Host]bool)
	for _, h := range d.inv.Hosts {
		cycle := []*Host{h}
		for next := d.builder(h); next != nil; next = d.builder(next) {
			if next == h {
				d.reportCycle(cycle, entries[h], reported)
			}
			if slices.Contains(cycle, next) {
				break
			}
			cycle = append(cycle, next)
		}
	}
}

// builder returns the host that builds for h, or nil.
func (d *decoder) builder(h *Host) *Host {
	if h.Builder == "" {
		return nil
	}
	return d.inv.Host(h.Builder)
}

// reportCycle reports a cycle at its first host, once.
func (d *decoder) reportCycle(cycle []*Host, e *entry, reported map[*Host]bool) {
	if reported[cycle[0]] {
		return
	}
	var names []string
	for _, h := range cycle {
		reported[h] = true
		names = append(names, quote(h.Name))
	}
	d.report(d.valueOffset(e, "build"), fmt.Sprintf("hosts build for each other in a circle: %s", strings.Join(append(names, names[0]), ", ")),
		"let one of them build for itself: build = "+quote(BuiltByHost))
}

// checkSigners checks that signatures are required together with the keys that may make them.
func (d *decoder) checkSigners() {
	fleet := d.root.get("fleet")
	if d.isSetIn("fleet", "allowed_signers") {
		at := Finding{File: d.inv.Path}
		at.Line, at.Column = d.position(d.valueOffset(fleet, "allowed_signers"))
		d.inv.signersAt = at
	}
	switch {
	case d.inv.RequireSigned && !d.isSetIn("fleet", "allowed_signers"):
		d.report(d.valueOffset(fleet, "require_signed"), "require_signed needs the keys that may sign commits",
			`name a file with them in [fleet]: allowed_signers = "allowed_signers"`)
	case !d.inv.RequireSigned && d.inv.AllowedSignersFile != "" && !d.isSetIn("fleet", "require_signed"):
		d.report(d.valueOffset(fleet, "allowed_signers"), "allowed_signers has no effect without require_signed",
			"set require_signed = true in [fleet]")
	}
}

// checkHomeAttr checks that the attribute of a home names its owner, and that the owner is also the
// login user.
func (d *decoder) checkHomeAttr(h *Host, label string, at int) {
	owner, machine, ok := strings.Cut(h.Attr, "@")
	if !ok {
		owner, machine = "", h.Attr
	}
	switch {
	case owner == "" || machine == "":
		d.report(at, fmt.Sprintf("%s: attr of a home must be USER@HOST, not %s", label, quote(h.Attr)),
			"write "+quote(cmp.Or(owner, h.User, "USER")+"@"+cmp.Or(machine, h.Name)))
	case h.User != "" && h.User != owner:
		d.report(at, fmt.Sprintf("%s: attr %s is the home of %s, but user is %s", label, quote(h.Attr), quote(owner), quote(h.User)),
			"a home is activated by its owner: set user = "+quote(owner))
	}
}

// reportSameTargets reports hosts that a deploy or its records would confuse with each other.
func (d *decoder) reportSameTargets(entries map[*Host]*entry) {
	names := make(map[string]*Host)
	targets := make(map[string]*Host)
	for _, h := range d.inv.Hosts {
		folded := strings.ToLower(h.Name)
		if other := names[folded]; other == nil {
			names[folded] = h
		} else if other.Name != h.Name {
			d.reportHost(h, fmt.Sprintf("host %s differs from %s only in case", quote(h.Name), quote(other.Name)), "their logs would share a file on macOS: rename one")
		}
		other := targets[h.target()]
		if other == nil {
			targets[h.target()] = h
			continue
		}
		if other.Name == h.Name || h.Kind == "" || h.Attr == "" {
			continue // already reported
		}
		key := "address"
		if len(h.Addresses) > 0 {
			key = "addresses"
		}
		d.report(d.valueOffset(entries[h], key), fmt.Sprintf("host %s is the same target as %s", quote(h.Name), quote(other.Name)),
			fmt.Sprintf("both deploy the %s on %s: fix an address, remove it to use ~/.ssh/config, or remove a host", h.scope(), h.machine()))
	}
}

// target identifies what a deploy to the host changes: the system of a machine, or one user's home
// on it.
func (h *Host) target() string { return h.Machine() + " " + h.scope() }

// scope returns which part of its machine the host is.
func (h *Host) scope() string {
	if h.Kind == Home {
		owner, _, _ := strings.Cut(h.Attr, "@")
		return "home of " + quote(owner)
	}
	return "system"
}

// Machine identifies the machine of the host, as far as it is known without asking: hosts with the
// same first address and port are the same machine, and so are all local hosts.
func (h *Host) Machine() string {
	if h.Local {
		return "this machine"
	}
	return fmt.Sprintf("%s port %d", h.machine(), h.Port)
}

// machine returns the address of the host, as far as the inventory knows it.
func (h *Host) machine() string { return NormalizeAddress(cmp.Or(h.Address, h.Name)) }

// NormalizeAddress returns the canonical form of a host name or IP address, so that equal addresses
// compare equal.
func NormalizeAddress(address string) string {
	if ip, err := netip.ParseAddr(address); err == nil {
		return ip.String()
	}
	return strings.TrimSuffix(strings.ToLower(address), ".")
}

// reportMissing reports that a host lacks a key, unless the key may be in a part of the file that
// could not be read.
func (d *decoder) reportMissing(h *Host, message, hint string) {
	if !d.incomplete {
		d.reportHost(h, message, hint)
	}
}

func (d *decoder) reportHost(h *Host, message, hint string) {
	d.findings = append(d.findings, d.inv.Finding(h, message, hint))
}

// isSet reports whether a key is present in the host or in [defaults], with a valid value or not.
func (d *decoder) isSet(host *entry, key string) bool {
	return host.table.get(key) != nil || d.isSetIn("defaults", key)
}

func (d *decoder) isSetIn(table, key string) bool {
	e := d.root.get(table)
	return e != nil && e.table.get(key) != nil
}

// valueOffset returns the offset of a key's value: in the host, or in [defaults]. If neither sets
// the key, it returns the offset of the host.
func (d *decoder) valueOffset(host *entry, key string) int {
	if e := host.table.get(key); e != nil {
		return e.value.at
	}
	if d.isSetIn("defaults", key) {
		return d.root.get("defaults").table.get(key).value.at
	}
	return host.at
}
