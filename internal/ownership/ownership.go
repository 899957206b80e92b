// Package ownership reads files that decide what runs as the operator, and refuses those that other
// users could have written, as ssh and git do.
package ownership

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/markus-barta/nixfleet/internal/hint"
)

// ReadFile reads a file that belongs to the user or to root, and that no other user may write. A
// symbolic link must belong to them, too. The error has a hint if that is not so.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	link, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := check(path, link, info); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// check returns an error if other users could have written the file. link is what path itself is.
func check(path string, link, file fs.FileInfo) error {
	if link.Mode()&fs.ModeSymlink != 0 && !trusted(link) {
		return hint.Errorf("check where it points to, then make a link of your own", "%q is a symbolic link of another user (%s)", path, ownerName(link))
	}
	if !trusted(file) && !inStore(path, file) {
		return hint.Errorf(fmt.Sprintf("check what it contains, then run: sudo chown %d %q", os.Geteuid(), path),
			"%q belongs to another user (%s)", path, ownerName(file))
	}
	mode := file.Mode()
	if mode.IsRegular() && (mode&0o002 != 0 || mode&0o020 != 0 && !privateGroup(file)) {
		return hint.Errorf(fmt.Sprintf("check what it contains, then run: chmod go-w %q", path),
			"%q can be written by other users (mode %04o)", path, mode.Perm())
	}
	return nil
}

// trusted reports whether a file belongs to the user or to root. Under sudo, the user is also the
// one who ran it, as for git.
func trusted(info fs.FileInfo) bool {
	uid, euid := owner(info), os.Geteuid()
	return uid == 0 || uid == euid || euid == 0 && strconv.Itoa(uid) == os.Getenv("SUDO_UID")
}

// inStore reports whether a file is part of the Nix store. In the sandbox of a build, the store
// belongs to no user that exists there.
func inStore(path string, file fs.FileInfo) bool {
	real, err := filepath.EvalSymlinks(path)
	return err == nil && strings.HasPrefix(real, "/nix/store/") && file.Mode()&0o222 == 0
}

// privateGroup reports whether the group of a file is its owner's own. Some distributions give each
// user such a group, and then let it write every new file.
func privateGroup(info fs.FileInfo) bool {
	stat := info.Sys().(*syscall.Stat_t)
	u, err := user.LookupId(strconv.Itoa(int(stat.Uid)))
	if err != nil {
		return false
	}
	g, err := user.LookupGroupId(strconv.Itoa(int(stat.Gid)))
	return err == nil && u.Gid == g.Gid && u.Username == g.Name
}

func owner(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }

func ownerName(info fs.FileInfo) string {
	uid := strconv.Itoa(owner(info))
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return fmt.Sprintf("user ID %s", uid)
}
