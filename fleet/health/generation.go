package health

import "time"

// Generation is a configuration that a host has been switched to, and still has: it can go back to it.
type Generation struct {
	Number   int        `json:"number"`
	Time     *time.Time `json:"time,omitempty"` // when it was made
	Revision string     `json:"revision,omitempty"`
	Path     string     `json:"path"`    // in the store
	Current  bool       `json:"current"` // the profile is at it: the next boot or login starts it
	Booted   bool       `json:"booted"`  // this boot began with it
}

// Before returns the generation that a rollback goes back to by itself: the newest of those older than the current one. It is nil where
// there is none. The list is as a host gives it, the newest first.
func Before(all []Generation) *Generation {
	current := 0
	for _, g := range all {
		if g.Current {
			current = g.Number
		}
	}
	for i, g := range all {
		if g.Number < current {
			return &all[i]
		}
	}
	return nil
}
