package sshexec

import (
	"os"
	"testing"
)

// TestConfigThatOthersMayWriteIsRefused covers the owner's group and all users. ssh refuses such a
// file as well, since it can name commands.
func TestConfigThatOthersMayWriteIsRefused(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // without ssh, which would refuse first
	for _, mode := range []os.FileMode{0o620, 0o602} {
		home := newTestHome(t)
		home.write("config", "Host web\n  ProxyCommand nc web 22\n")
		if err := os.Chmod(home.path("config"), mode); err != nil {
			t.Fatal(err)
		}
		_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
		wantError(t, err, KindConfig, "others can write to it")
	}
}
