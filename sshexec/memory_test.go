//go:build !race

package sshexec

import "testing"

func TestIdleConnectionUsesAtMost64KiB(t *testing.T) {
	if got := memoryPerConnection(t, 256) / 1024; got > 64 {
		t.Errorf("%.1f KiB", got)
	}
}
