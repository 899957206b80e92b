package ownership

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/internal/hint"
)

func TestReadFileRefusesWhatOthersMayWrite(t *testing.T) {
	const other = 54321
	for name, tt := range map[string]struct {
		mode     os.FileMode
		uid, gid int    // of the file
		link     int    // the owner of a symbolic link to it; -1 reads the file itself
		sudo     string // the user who ran sudo
		want     string // part of the error; "" accepts the file
		hint     string
	}{
		"own":                      {0o644, 0, 0, -1, "", "", ""},
		"own and read-only":        {0o400, 0, 0, -1, "", "", ""},
		"own link":                 {0o644, 0, 0, 0, "", "", ""},
		"private group":            {0o664, 0, 0, -1, "", "", ""},
		"written by a group":       {0o664, 0, other, -1, "", "can be written by other users (mode 0664)", "chmod go-w "},
		"written by all":           {0o646, 0, 0, -1, "", "can be written by other users (mode 0646)", "chmod go-w "},
		"another user's":           {0o600, other, other, -1, "", "belongs to another user (user ID 54321)", "chown 0 "},
		"another user's link":      {0o644, 0, 0, other, "", "symbolic link of another user", "link of your own"},
		"own link to another's":    {0o644, other, 0, 0, "", "belongs to another user", "chown 0 "},
		"of the user who ran sudo": {0o644, other, 0, -1, "54321", "", ""},
		"of neither":               {0o644, other, 0, -1, "1000", "belongs to another user", "chown 0 "},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give files away")
			}
			t.Setenv("SUDO_UID", tt.sudo)
			path := filepath.Join(t.TempDir(), "hosts.toml")
			if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(path, tt.uid, tt.gid); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			if tt.link >= 0 {
				target := path
				path += ".link"
				if err := os.Symlink(target, path); err != nil {
					t.Fatal(err)
				}
				if err := os.Lchown(path, tt.link, 0); err != nil {
					t.Fatal(err)
				}
			}
			text, err := ReadFile(path)
			switch {
			case tt.want == "" && (err != nil || string(text) != "text"):
				t.Errorf("got %q, %v", text, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(hint.Of(err), tt.hint)):
				t.Errorf("got %v, hint %q, want %q, hint %q", err, hint.Of(err), tt.want, tt.hint)
			}
		})
	}
}

func TestReadFileRefusesWorldWritableFileOfAnyUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o606); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil || !strings.Contains(hint.Of(err), "chmod go-w "+strconv.Quote(path)) {
		t.Errorf("got %v, hint %q", err, hint.Of(err))
	}
}
