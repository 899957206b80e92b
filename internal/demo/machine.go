package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

func (h *machine) home() string     { return filepath.Join(h.root, "home", h.User) }
func (h *machine) checkout() string { return filepath.Join(h.home(), "Code", "nixcfg") }

// installable is what of the flake this host runs.
func (h *machine) installable() string {
	switch h.Kind {
	case "home":
		return fmt.Sprintf("homeConfigurations.%q.activationPackage", h.Attr())
	case "darwin":
		return fmt.Sprintf("darwinConfigurations.%q.system", h.Attr())
	}
	return fmt.Sprintf("nixosConfigurations.%q.config.system.build.toplevel", h.Attr())
}

// environ is what a login on this host finds.
func (h *machine) environ() []string {
	return append([]string{
		"FLEETCTL_ROOT=" + h.root,
		"HOME=" + h.home(),
		"USER=" + h.User,
		"LOGNAME=" + h.User,
		"SHELL=/bin/sh",
		"TMPDIR=" + filepath.Join(h.root, "tmp"),
		"PATH=" + filepath.Join(h.root, wrappers) + ":" + filepath.Join(h.root, profileBin) + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
	}, gitIsolation...)
}

// endJobs kills the jobs that have no result: they outlive their connections, and shall not outlive their host.
func (f *Fleet) endJobs(h *machine) error {
	dir := filepath.Join(h.home(), ".local", "state", "fleetctl", "jobs")
	jobs, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, job := range jobs {
		if _, err := os.Stat(filepath.Join(dir, job.Name(), "result")); err == nil {
			continue
		}
		for _, name := range []string{"pid", "root.pid"} {
			f.killGroup(filepath.Join(dir, job.Name(), name))
		}
	}
	return nil
}

// killGroup kills the process group whose leader wrote that file, if it did so since the fleet was started: an older number
// may be somebody else's by now.
func (f *Fleet) killGroup(name string) {
	info, err := os.Stat(name)
	if err != nil || info.ModTime().Before(f.started) {
		return
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil || pid <= 1 {
		return
	}
	// One that is only just detaching leads no group yet. That it has ended by itself is as good.
	if syscall.Kill(-pid, syscall.SIGKILL) != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
