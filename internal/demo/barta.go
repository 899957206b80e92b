package demo

import "fmt"

// Host is one host of the demo.
type Host struct {
	Name        string
	Kind        string // nixos, darwin or home
	User        string
	Tags        []string
	Wave        int
	Color       string
	SkipOffline bool

	Words        []string // what its configuration does amiss in the newest commit; see the package comment
	Dirty        bool     // its checkout has a change that is not committed
	SudoPassword string   // what its sudo wants; "" wants nothing
}

// Attr is the name of the host's configuration in the flake.
func (h Host) Attr() string {
	if h.Kind == "home" {
		return h.User + "@" + h.Name
	}
	return h.Name
}

// Barta is the first n hosts of the hosts.toml that comes with fleetctl; those beyond nine are made up. The configuration of one
// does not compile: csb0's, since the VPN hub goes last and alone, and so keeps no other host from going. In a fleet that is too
// small for it, the last one's.
func Barta(n int) []Host {
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
	hosts[min(n, csb0+1)-1].Words = []string{"fail-build"}
	return hosts
}
