package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

func (h *host) home() string     { return filepath.Join(h.root, "home", h.User) }
func (h *host) checkout() string { return filepath.Join(h.home(), "Code", "nixcfg") }

// installable returns the attribute path of the host's configuration in the flake.
func (h *host) installable() string {
	switch h.Kind {
	case "home":
		return fmt.Sprintf("homeConfigurations.%q.activationPackage", h.Attr())
	case "darwin":
		return fmt.Sprintf("darwinConfigurations.%q.system", h.Attr())
	}
	return fmt.Sprintf("nixosConfigurations.%q.config.system.build.toplevel", h.Attr())
}

// environ returns the environment of a login on this host.
func (h *host) environ() []string {
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

// killJobs kills the jobs that have no result. Jobs outlive their connections but must not outlive
// their host.
func (f *Fleet) killJobs(h *host) error {
	for _, dir := range []string{filepath.Join(h.home(), ".local/state/fleetctl"), filepath.Join(h.root, "run/fleetctl"), filepath.Join(h.root, "var/run/fleetctl")} {
		if err := f.killJobsIn(filepath.Join(dir, "jobs")); err != nil {
			return err
		}
	}
	return nil
}

// killJobsIn kills the halves of jobs that live in a directory.
func (f *Fleet) killJobsIn(dir string) error {
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
		f.killGroup(filepath.Join(dir, job.Name(), "pid"))
	}
	return nil
}

// killGroup kills the process group whose ID is in the file name. It ignores files that are older
// than the start of the fleet: their IDs may be reused.
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
	// A process that is about to detach does not lead a group yet. It may also have exited.
	if syscall.Kill(-pid, syscall.SIGKILL) != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
