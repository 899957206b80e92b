package inventory

import (
	"testing"
	"time"
)

func TestHostReturnsTheHostOfThatName(t *testing.T) {
	inv := smallFleet()
	if h := inv.Host("csb0"); h != inv.Hosts[2] {
		t.Errorf("got %+v", h)
	}
	if h := inv.Host("csb1"); h != nil {
		t.Errorf("got %+v", h)
	}
}

func TestFormatDurationOmitsTrailingZeros(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s":     0,
		"10s":    10 * time.Second,
		"15m":    15 * time.Minute,
		"1m30s":  90 * time.Second,
		"1h":     time.Hour,
		"10m":    10 * time.Minute,
		"1h30m":  90 * time.Minute,
		"1h0m5s": time.Hour + 5*time.Second,
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestNormalizeAddress(t *testing.T) {
	for address, want := range map[string]string{
		"Web.Example.COM.": "web.example.com",
		"FD00:0:0::1":      "fd00::1",
		"10.0.0.1":         "10.0.0.1",
		"hsb0":             "hsb0",
	} {
		if got := NormalizeAddress(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
