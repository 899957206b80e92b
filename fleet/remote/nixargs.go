package remote

// NixArgs are what nix gets besides fleetctl's own arguments whenever it evaluates or builds.
type NixArgs struct {
	Options []string // settings, as "NAME VALUE"
	Words   []string // other arguments
}

// values adds the inputs of nix_build.sh.
func (a NixArgs) values(v values) values {
	v["nix_option"], v["nix_arg"] = a.Options, a.Words
	return v
}
