//go:build !race

package sshexec

import "testing"

func TestIdleConnectionUsesAtMost44KiB(t *testing.T) {
	if got := memoryPerConnection(t, 256) / 1024; got > 44 {
		t.Errorf("%.1f KiB", got)
	}
}
