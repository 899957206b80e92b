package agent

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// Host says where to find the host's state. It holds paths only, never what was read from them.
type Host struct {
	Root  string // prefix of the paths of the system and of Nix; "" on a real host
	Home  string // the home directory of User
	State string // $XDG_STATE_HOME; "" means ~/.local/state
	User  string // the user whose home it is, for the kind home
	Kind  string // nixos, darwin or home; "" means to detect it
	Agent string // the agent's version
}

// Health reads the host's current state, except for the CPU usage.
func (h Host) Health(ctx context.Context) health.Health {
	if h.Kind == "" {
		h.Kind = h.detectKind()
	}
	if h.State == "" {
		h.State = filepath.Join(h.Home, ".local/state")
	}
	name, _ := os.Hostname()
	name, _, _ = strings.Cut(name, ".")
	now := health.Health{
		Time:   time.Now(),
		Host:   name,
		Kind:   h.Kind,
		OS:     h.os(),
		Nix:    h.nixVersion(),
		Agent:  h.Agent,
		BootID: h.bootID(),
		System: h.system(),
	}
	h.addResources(ctx, &now)
	// The machine's units do not belong to a user's home.
	if h.Kind != "home" && h.exists("/run/systemd/system") {
		var err error
		if now.FailedUnits, err = failedUnits(ctx); err != nil {
			now.NoUnits = err.Error()
		}
	}
	return now
}

// detectKind identifies the kind by a file that only hosts of that kind have.
func (h Host) detectKind() string {
	switch {
	case h.exists("/run/current-system/nixos-version"):
		return "nixos"
	case h.exists("/run/current-system/darwin-version.json"):
		return "darwin"
	}
	return "home"
}

func (h Host) exists(path string) bool {
	_, err := os.Stat(h.Root + path)
	return err == nil
}

// nixStorePath matches the version at the end of the name of Nix's own store path.
var nixStorePath = regexp.MustCompile(`-(?:nix|nix-cli|lix|determinate-nix)-([0-9][0-9A-Za-z.+_-]*)/bin/`)

// nixVersion derives Nix's version from the path of its binary: the sandbox cannot start it.
func (h Host) nixVersion() string {
	for _, path := range []string{
		h.Root + "/run/current-system/sw/bin/nix",
		h.Root + "/nix/var/nix/profiles/default/bin/nix",
		h.Home + "/.nix-profile/bin/nix",
	} {
		if found := nixStorePath.FindStringSubmatch(resolve(path)); found != nil {
			return found[1]
		}
	}
	return ""
}

// system returns the systems that are installed, running and booted.
func (h Host) system() health.System {
	s, parent := health.System{}, ""
	profile := h.Root + "/nix/var/nix/profiles/system"
	if h.Kind == "home" {
		profile = filepath.Join(h.homeProfiles(), "home-manager")
	}
	s.Profile = resolve(profile)
	s.Generation, s.GenerationTime = generation(profile)
	if h.Kind == "home" {
		s.Deployed = s.Profile
	} else {
		s.Deployed = resolve(h.Root + "/run/current-system")
		s.Booted = resolve(h.Root + "/run/booted-system")
		if h.Kind == "nixos" {
			s.Specialisation, parent = specialisation(profile, s.Deployed)
		}
		s.BootPending = s.Profile != "" && s.Profile != cmp.Or(parent, s.Deployed)
		s.RebootNeeded = s.Booted != "" && needsReboot(s.Booted, s.Deployed)
	}
	s.Revision = h.revision(s.Deployed, parent)
	return s
}

// specialisation returns the name of the specialisation that a running system is, and the system of
// a generation of the profile that has it. It returns nothing if the system is none.
func specialisation(profile, deployed string) (name, parent string) {
	if deployed == "" || resolve(profile) == deployed {
		return "", ""
	}
	generations, _ := filepath.Glob(profile + "-*-link") // the pattern is valid
	for _, link := range append([]string{profile}, generations...) {
		entries, _ := os.ReadDir(link + "/specialisation") // most systems have none
		for _, e := range entries {
			if resolve(filepath.Join(link, "specialisation", e.Name())) == deployed {
				return e.Name(), resolve(link)
			}
		}
	}
	return "", ""
}

// homeProfiles returns the directory of the home's profile, which depends on the versions of Nix
// and home-manager. Activations move it to the first place.
func (h Host) homeProfiles() string {
	own := filepath.Join(h.State, "nix/profiles")
	perUser := filepath.Join(h.Root+"/nix/var/nix/profiles/per-user", h.User)
	for _, dir := range []string{own, perUser, filepath.Join(h.State, "home-manager/profiles")} {
		if _, err := os.Stat(filepath.Join(dir, "home-manager")); err == nil {
			return dir
		}
	}
	return own
}

// resolve returns the path with all symbolic links resolved, or "" if it does not exist.
func resolve(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	return real
}

// generation returns the number of a profile's generation and when it was created, from the
// symbolic link that the profile is: system -> system-42-link.
func generation(profile string) (int, *time.Time) {
	link, err := os.Readlink(profile)
	if err != nil {
		return 0, nil
	}
	words := strings.Split(filepath.Base(link), "-")
	if len(words) < 3 || words[len(words)-1] != "link" {
		return 0, nil
	}
	n, err := strconv.Atoi(words[len(words)-2])
	if err != nil {
		return 0, nil
	}
	info, err := os.Lstat(filepath.Join(filepath.Dir(profile), filepath.Base(link)))
	if err != nil {
		return n, nil
	}
	created := info.ModTime()
	return n, &created
}

// needsReboot reports whether the systems differ in parts that only a boot replaces.
func needsReboot(booted, deployed string) bool {
	for _, part := range []string{"kernel", "initrd", "kernel-modules"} {
		if resolve(filepath.Join(booted, part)) != resolve(filepath.Join(deployed, part)) {
			return true
		}
	}
	return false
}
