package fleet

// Revision is a commit that a run deploys, and where the operator's git has found it.
type Revision struct {
	Commit string // 40 hex digits
	Ref    string // refs/heads/NAME or refs/tags/NAME; "" for a commit that was named by its hash
}

// Source is where the operator's git looks up commits.
type Source struct {
	Remote string // URL; "" means the remote of the repository in Dir
	Dir    string // the directory of the inventory
	Branch string // the fleet's branch
}

// Source returns where the commit of the plan is looked up.
func (p *Plan) Source() Source { return Source{Remote: p.Remote, Dir: p.Dir, Branch: p.Branch} }

// Lookup returns what has to be looked up for the plan: the name that was given, or the fleet's
// branch. It returns "" if the commit is known, or if no host pulls.
func (p *Plan) Lookup() string {
	switch {
	case p.NoPull || p.Pinned.Commit != "":
		return ""
	case p.Rev == "":
		return "refs/heads/" + p.Branch
	}
	return p.Rev
}

// Named returns what the operator named with Rev, for hosts: a ref of the remote, or a commit. It
// is "" if the run deploys the fleet's branch.
func (p *Plan) Named() string {
	switch {
	case p.Rev == "" || p.NoPull:
		return ""
	case p.Pinned.Ref != "":
		return p.Pinned.Ref
	}
	return p.Pinned.Commit
}
