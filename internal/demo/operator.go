package demo

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// operatorKey is the only key that the hosts accept.
type operatorKey struct {
	public  ssh.PublicKey
	private []byte // in OpenSSH's format
}

func newOperatorKey() (k operatorKey, err error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return k, err
	}
	block, err := ssh.MarshalPrivateKey(private, "operator of the demo")
	if err != nil {
		return k, err
	}
	if k.public, err = ssh.NewPublicKey(private.Public()); err != nil {
		return k, err
	}
	k.private = pem.EncodeToMemory(block)
	return k, nil
}

// writeOperatorFiles writes the operator's key, known hosts and ssh_config, and the inventory.
func (f *Fleet) writeOperatorFiles() error {
	dir := filepath.Join(f.Home, ".ssh")
	var known, config strings.Builder
	for _, h := range f.hosts {
		known.WriteString(h.server.KnownHostsLine())
		fmt.Fprintf(&config, "Host %s\n  HostName 127.0.0.1\n  Port %d\n  User %s\n\n", h.Name, h.server.Port(), h.User)
	}
	fmt.Fprintf(&config, "Host *\n  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n  StrictHostKeyChecking ask\n",
		quote(filepath.Join(dir, "id_ed25519")), quote(filepath.Join(dir, "known_hosts")))

	if err := write(filepath.Join(dir, "id_ed25519"), string(f.key.private), 0o600); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "known_hosts"), known.String(), 0o600); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "config"), config.String(), 0o600); err != nil {
		return err
	}
	return write(f.Inventory, f.inventoryTOML(), 0o644)
}

// quote quotes a value for ssh_config(5) if necessary.
func quote(s string) string {
	if strings.ContainsAny(s, " \t#") {
		return `"` + s + `"`
	}
	return s
}

// inventoryTOML returns the text of hosts.toml.
func (f *Fleet) inventoryTOML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[fleet]\nname = \"demo\"\nremote = %s\nbranch = %q\n\n[defaults]\nrepo = \"~/Code/nixcfg\"\n", strconv.Quote(f.Origin), branch)
	for _, h := range f.hosts {
		fmt.Fprintf(&b, "\n[hosts.%s]\nkind = %q\naddress = \"127.0.0.1\"\nport = %d\nuser = %q\nwave = %d\n", h.Name, h.Kind, h.server.Port(), h.User, h.Wave)
		if len(h.Tags) > 0 {
			fmt.Fprintf(&b, "tags = [\"%s\"]\n", strings.Join(h.Tags, `", "`))
		}
		if h.Color != "" {
			fmt.Fprintf(&b, "color = %q\n", h.Color)
		}
		if h.Kind == "home" {
			fmt.Fprintf(&b, "attr = %q\n", h.Attr())
		}
		if h.Builder != "" {
			fmt.Fprintf(&b, "build = %q\n", h.Builder)
		}
		if h.SkipOffline {
			b.WriteString("offline = \"skip\"\n")
		}
	}
	return b.String()
}
