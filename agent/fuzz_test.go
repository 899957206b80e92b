package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/shirou/gopsutil/v4/common"
)

// FuzzProc reads the kernel's figures from a /proc whose files have any content. The health must
// remain one that the agent can send.
func FuzzProc(f *testing.F) {
	files := []string{"meminfo", "loadavg", "uptime", "stat"}
	for i, file := range files {
		text, _ := os.ReadFile("/proc/" + file)
		f.Add(uint8(i), text)
	}
	f.Add(uint8(0), []byte("MemTotal: 1 kB\nMemAvailable: 99999999999999999999 kB\nSwapTotal: -1 kB\n"))
	f.Add(uint8(1), []byte("NaN 1e308 -1 1/1 1\n"))
	f.Add(uint8(3), []byte("cpu  18446744073709551615 1 1 1 1 1 1 1 1 1\nbtime -1\n"))
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, files[int(which)%len(files)]), text, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx := context.WithValue(t.Context(), common.EnvKey, common.EnvMap{common.HostProcEnvKey: dir})
		h := Host{Root: dir, Kind: "home"}.Health(ctx)
		meter := cpuMeter{}
		h.CPU = meter.percent(ctx)
		if _, err := json.Marshal(h); err != nil {
			t.Errorf("%+v: %v", h, err)
		}
	})
}

// FuzzBus reads the answer of systemd's bus from any bytes.
func FuzzBus(f *testing.F) {
	unit := struct {
		Name, Description, Load, Active, Sub, Following string
		Path                                            dbus.ObjectPath
		Job                                             uint32
		JobType                                         string
		JobPath                                         dbus.ObjectPath
	}{Name: "a.service", Path: "/", JobPath: "/"}
	for _, body := range [][]any{{[]any{}}, {"failed"}, {[]string{"a.service"}}, {unit}} {
		message := &dbus.Message{
			Type: dbus.TypeMethodReply, Body: body,
			Headers: map[dbus.HeaderField]dbus.Variant{
				dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)),
				dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(body...)),
			},
		}
		var encoded bytes.Buffer
		if err := message.EncodeTo(&encoded, binary.LittleEndian); err == nil {
			f.Add(encoded.Bytes())
		}
	}
	f.Fuzz(func(_ *testing.T, answer []byte) {
		if message, err := dbus.DecodeMessage(bytes.NewReader(answer)); err == nil {
			_, _ = unitNames(message.Body)
		}
	})
}

// FuzzHostFiles reads the files that describe a host with any content.
func FuzzHostFiles(f *testing.F) {
	f.Add("NAME=NixOS\nVERSION_ID=\"26.05\"\n", `{"configurationRevision":"`+revision+`"}`, "/nix/store/x "+revision+"\n")
	f.Fuzz(func(t *testing.T, release, version, revisions string) {
		root := t.TempDir()
		h := Host{Root: root, Kind: "nixos", State: root + "/state"}
		write(t, root+"/etc/os-release", release)
		write(t, root+"/run/current-system/sw/bin/nixos-version", version)
		write(t, root+"/state/fleetctl/revisions", revisions)
		_, _ = h.os(), h.revision("/nix/store/x", "/nix/store/y")
	})
}
