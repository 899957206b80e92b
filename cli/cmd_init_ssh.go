package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// draftFromSSH returns a draft of an inventory with the hosts named in the operator's
// ssh_config(5).
func draftFromSSH(env *Env) (inventory.Draft, error) {
	const shown = "~/.ssh/config"
	const flakeHint = "to read hosts from a flake, run: fleetctl init --flake DIR"
	s := inventory.Draft{From: shown, Name: fleetName(env), Repo: defaultRepo, Kind: inventory.NixOS}
	blocks, err := readBlocks(filepath.Join(env.Home, ".ssh", "config"), env.Home, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return s, hint.Errorf(flakeHint, "cannot read hosts from %s: file does not exist", shown)
	} else if err != nil {
		return s, err
	}
	names := usedNames{}
	seen := make(map[string]bool)       // ssh_config(5) may name a host several times
	machines := make(map[string]string) // the first alias of each machine
	spellings := make(map[string]string)
	for _, b := range blocks {
		for _, alias := range b.aliases {
			if seen[alias] {
				continue
			}
			seen[alias] = true
			problem := ""
			if first := machines[b.machine(alias)]; b.isGitServer(alias) {
				problem = "a git server"
			} else if first != "" {
				problem = "the same machine as " + first
			} else if first := spellings[inventory.NormalizeAddress(alias)]; first != "" {
				problem = "another spelling of " + first
			} else {
				problem = names.use(alias)
			}
			if problem != "" {
				s.LeftOut = append(s.LeftOut, alias+": "+problem)
				continue
			}
			machines[b.machine(alias)] = alias
			spellings[inventory.NormalizeAddress(alias)] = alias
			s.Hosts = append(s.Hosts, inventory.Host{Name: alias})
		}
	}
	if len(s.Hosts) == 0 {
		return s, hint.Errorf(flakeHint, "%s names no hosts to deploy to", shown)
	}
	return s, nil
}

// sshBlock is a Host block of ssh_config(5).
type sshBlock struct {
	aliases              []string // the patterns without wildcards
	hostname, user, port string
}

// machine identifies the machine an alias leads to, by the host name and port of the block.
func (b sshBlock) machine(alias string) string {
	name := alias
	if b.hostname != "" {
		name = strings.ReplaceAll(b.hostname, "%h", alias)
	}
	return strings.ToLower(name) + " " + b.port
}

// isGitServer reports whether an alias is a git server, which is not a host to deploy to.
func (b sshBlock) isGitServer(alias string) bool {
	if b.user == "git" {
		return true
	}
	for _, server := range []string{"github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.sr.ht", "ssh.dev.azure.com", "gitea.com"} {
		for _, name := range []string{alias, b.hostname} {
			if name = strings.ToLower(name); name == server || strings.HasSuffix(name, "."+server) {
				return true
			}
		}
	}
	return false
}

// readBlocks reads the Host blocks of a configuration and of the files it includes. They are only
// used to find names; package sshexec resolves the settings when it connects.
func readBlocks(path, home string, depth int) ([]sshBlock, error) {
	const maxDepth = 16 // as in OpenSSH
	if depth > maxDepth {
		return nil, fmt.Errorf("%q: Include is nested more than %d levels deep", path, maxDepth)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	blocks := []sshBlock{{}} // settings before the first Host
	current := 0
	for line := range strings.Lines(string(text)) {
		words := sshWords(line)
		if len(words) < 2 {
			continue
		}
		switch strings.ToLower(words[0]) {
		case "host":
			current = len(blocks)
			blocks = append(blocks, sshBlock{aliases: plainNames(words[1:])})
		case "match":
			current = len(blocks)
			blocks = append(blocks, sshBlock{})
		case "hostname":
			blocks[current].hostname = words[1]
		case "user":
			blocks[current].user = words[1]
		case "port":
			blocks[current].port = words[1]
		case "include":
			for _, pattern := range words[1:] {
				for _, file := range includedFiles(pattern, home) {
					more, err := readBlocks(file, home, depth+1)
					if err != nil {
						return nil, err
					}
					blocks = append(blocks, more...)
				}
			}
		}
	}
	return blocks, nil
}

// includedFiles returns the files that an Include pattern matches. Relative patterns are relative
// to ~/.ssh.
func includedFiles(pattern, home string) []string {
	if rest, tilde := strings.CutPrefix(pattern, "~/"); tilde {
		pattern = filepath.Join(home, rest)
	} else if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(home, ".ssh", pattern)
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil // like OpenSSH: an invalid pattern matches nothing
	}
	return files
}

// plainNames returns the patterns that name a single host.
func plainNames(patterns []string) []string {
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return strings.ContainsAny(p, "*?!") })
}

// sshWords splits a line of ssh_config(5) into words, up to a comment. Words are separated by
// blanks or, after the keyword, by one =, and may be quoted with ".
func sshWords(line string) []string {
	var words []string
	line = strings.TrimSpace(line)
	for line != "" && line[0] != '#' {
		var word string
		if line[0] == '"' {
			word, line, _ = strings.Cut(line[1:], `"`)
		} else {
			end := strings.IndexAny(line, " \t")
			if equals := strings.IndexByte(line, '='); len(words) == 0 && equals > 0 && (end < 0 || equals < end) {
				end = equals
			}
			if end < 0 {
				end = len(line)
			}
			word, line = line[:end], line[end:]
		}
		words = append(words, word)
		line = strings.TrimLeft(line, " \t")
		if len(words) == 1 {
			line = strings.TrimLeft(strings.TrimPrefix(line, "="), " \t")
		}
	}
	return words
}
