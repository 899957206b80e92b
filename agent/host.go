package agent

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// Host is where to look for what is known of the host: paths, and nothing that was found there.
type Host struct {
	Root  string // goes before the paths of the system and of Nix; "" on a real host
	Home  string // of the user whose home it is, for the kind home
	State string // $XDG_STATE_HOME; "" is ~/.local/state
	User  string
	Kind  string // nixos, darwin or home; "" looks
	Agent string // the agent's version
}

// Look is the host as it is now, but for how busy it is.
func (h Host) Look(ctx context.Context) health.Health {
	if h.Kind == "" {
		h.Kind = h.kind()
	}
	if h.State == "" {
		h.State = filepath.Join(h.Home, ".local/state")
	}
	name, _ := os.Hostname()
	name, _, _ = strings.Cut(name, ".")
	look := health.Health{
		Time:   time.Now(),
		Host:   name,
		Kind:   h.Kind,
		OS:     h.os(),
		Nix:    h.nix(),
		Agent:  h.Agent,
		BootID: h.bootID(),
		System: h.system(),
	}
	h.figures(ctx, &look)
	if h.Kind != "home" && h.exists("/run/systemd/system") { // a machine's units are no business of one user's home
		var err error
		if look.FailedUnits, err = failedUnits(ctx); err != nil {
			look.NoUnits = err.Error()
		}
	}
	return look
}

// kind tells a host by what only its kind has.
func (h Host) kind() string {
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

// inStore is the version that the name of Nix's own store path ends in.
var inStore = regexp.MustCompile(`-(?:nix|nix-cli|lix|determinate-nix)-([0-9][0-9A-Za-z.+_-]*)/bin/`)

// nix is told by where its binary is: asking it would take starting it.
func (h Host) nix() string {
	for _, path := range []string{
		h.Root + "/run/current-system/sw/bin/nix",
		h.Root + "/nix/var/nix/profiles/default/bin/nix",
		h.Home + "/.nix-profile/bin/nix",
	} {
		if found := inStore.FindStringSubmatch(resolved(path)); found != nil {
			return found[1]
		}
	}
	return ""
}

// system is what the host has and runs.
func (h Host) system() health.System {
	s := health.System{}
	profile := h.Root + "/nix/var/nix/profiles/system"
	if h.Kind == "home" {
		profile = filepath.Join(h.homeProfiles(), "home-manager")
	}
	s.Profile = resolved(profile)
	s.Generation, s.GenerationTime = generation(profile)
	if h.Kind == "home" {
		s.Deployed = s.Profile
	} else {
		s.Deployed = resolved(h.Root + "/run/current-system")
		s.Booted = resolved(h.Root + "/run/booted-system")
		s.BootPending = s.Profile != "" && s.Profile != s.Deployed
		s.RebootNeeded = s.Booted != "" && needsReboot(s.Booted, s.Deployed)
	}
	s.Revision = h.revision(s.Deployed)
	return s
}

func (h Host) homeProfiles() string {
	own := filepath.Join(h.State, "nix/profiles")
	perUser := filepath.Join(h.Root+"/nix/var/nix/profiles/per-user", h.User)
	for _, dir := range []string{own, perUser} {
		if _, err := os.Lstat(filepath.Join(dir, "home-manager")); err == nil {
			return dir
		}
	}
	return own
}

// resolved is a path without symbolic links, or "" where it leads nowhere.
func resolved(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	return real
}

// generation is told by the link that a profile is: system -> system-42-link, made when the generation was.
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
	made, err := os.Lstat(filepath.Join(filepath.Dir(profile), filepath.Base(link)))
	if err != nil {
		return n, nil
	}
	at := made.ModTime()
	return n, &at
}

// needsReboot tells whether two systems differ in what only a boot brings in.
func needsReboot(booted, deployed string) bool {
	for _, part := range []string{"kernel", "initrd", "kernel-modules"} {
		if resolved(filepath.Join(booted, part)) != resolved(filepath.Join(deployed, part)) {
			return true
		}
	}
	return false
}
