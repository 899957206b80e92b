package demo

import "fmt"

// Host describes a host of the demo.
type Host struct {
	Name        string
	Kind        string // nixos, darwin or home
	User        string
	Tags        []string
	Wave        int
	Color       string
	SkipOffline bool

	Builder string // the host that builds for it: it has no checkout then

	Generation   int      // the number of its first generation; 0 is 1
	Directives   []string // of its configuration in the newest commit; see the package comment
	Dirty        bool     // the checkout has uncommitted changes
	SudoPassword string   // required by sudo; "" means that none is required
}

// Attr returns the name of the host's configuration in the flake.
func (h Host) Attr() string {
	if h.Kind == "home" {
		return h.User + "@" + h.Name
	}
	return h.Name
}

// SampleHosts returns the first n hosts of the hosts.toml in this repository. Hosts beyond those
// nine are made up. The build of csb0 fails: it is alone in the last wave, so that its failure does
// not affect other hosts. In a fleet without csb0, the build of the last host fails.
func SampleHosts(n int) []Host {
	const csb0 = 5
	hosts := []Host{
		{Name: "hsb1", Kind: "nixos", User: "mba", Tags: []string{"home", "server"}, Wave: 1, Color: "#68b0a0"},
		{Name: "hsb8", Kind: "nixos", User: "mba", Tags: []string{"parents", "server"}, Wave: 1, Color: "#a0785a"},
		{Name: "csb1", Kind: "nixos", User: "mba", Tags: []string{"cloud", "server"}, Wave: 1, Color: "#5a9bd4"},
		{Name: "gpc0", Kind: "nixos", User: "mba", Tags: []string{"home", "desktop", "gaming"}, Wave: 1, Color: "#9868d0"},
		{Name: "hsb0", Kind: "nixos", User: "mba", Tags: []string{"home", "server", "dns"}, Wave: 2, Color: "#d4c060"},
		{Name: "csb0", Kind: "nixos", User: "mba", Tags: []string{"cloud", "server", "vpn"}, Wave: 3, Color: "#68d0d0"},
		{Name: "imac0", Kind: "home", User: "markus", Tags: []string{"home", "mac"}, Wave: 1, Color: "#e08f5a", SkipOffline: true},
		{Name: "mba-imac-work", Kind: "home", User: "markus", Tags: []string{"work", "mac"}, Wave: 1, Color: "#8cbf5a", SkipOffline: true},
		{Name: "mba-mbp-work", Kind: "home", User: "mba", Tags: []string{"work", "mac", "laptop"}, Wave: 1, Color: "#d0709c", SkipOffline: true},
	}
	for i := len(hosts) + 1; i <= n; i++ {
		hosts = append(hosts, Host{Name: fmt.Sprintf("demo%03d", i), Kind: "nixos", User: "mba", Tags: []string{"made-up"}, Wave: 1})
	}
	hosts = hosts[:n]
	for i := range hosts {
		hosts[i].Generation = 12 + (37*i+11)%190
	}
	hosts[min(n, csb0+1)-1].Directives = []string{"fail-build"}
	return hosts
}
