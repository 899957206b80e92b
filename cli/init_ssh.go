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
)

// sketchFromSSH takes the hosts that the operator's ssh_config(5) names.
func sketchFromSSH(env *Env) (inventory.Draft, error) {
	const shown = "~/.ssh/config"
	const otherwise = "take the hosts from a flake instead: fleetctl init --flake DIR"
	s := inventory.Draft{From: shown, Name: fleetName(env), Repo: likelyRepo, Kind: inventory.NixOS}
	blocks, err := readBlocks(filepath.Join(env.Home, ".ssh", "config"), env.Home, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return s, &hintedError{fmt.Errorf("there is no %s to take hosts from", shown), otherwise}
	} else if err != nil {
		return s, err
	}
	names := taken{}
	seen := make(map[string]bool)       // ssh_config(5) may speak of a host in several places
	machines := make(map[string]string) // the first alias of each
	spellings := make(map[string]string)
	for _, b := range blocks {
		for _, alias := range b.aliases {
			if seen[alias] {
				continue
			}
			seen[alias] = true
			problem := ""
			if first := machines[b.machine(alias)]; b.isGit(alias) {
				problem = "a git server"
			} else if first != "" {
				problem = "the same machine as " + first
			} else if first := spellings[inventory.NormalizeAddress(alias)]; first != "" {
				problem = "another spelling of " + first
			} else {
				problem = names.take(alias)
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
		return s, &hintedError{fmt.Errorf("%s names no host that could be deployed to", shown), otherwise}
	}
	return s, nil
}

// sshBlock is a Host line of ssh_config(5) and what is said under it.
type sshBlock struct {
	aliases              []string // the patterns that are plain names
	hostname, user, port string
}

// machine is where an alias leads, as far as the block says.
func (b sshBlock) machine(alias string) string {
	where := alias
	if b.hostname != "" {
		where = strings.ReplaceAll(b.hostname, "%h", alias)
	}
	return strings.ToLower(where) + " " + b.port
}

// isGit tells the servers that have repositories and no system of ours.
func (b sshBlock) isGit(alias string) bool {
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

// readBlocks reads the Host blocks of a configuration and of what it includes. It looks for names alone: how a host is
// reached is asked of ssh's own rules, each time.
func readBlocks(path, home string, depth int) ([]sshBlock, error) {
	const deepest = 16 // as ssh has it
	if depth > deepest {
		return nil, fmt.Errorf("%q: files include each other more than %d deep", path, deepest)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	blocks := []sshBlock{{}} // what stands before the first Host
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
				for _, file := range included(pattern, home) {
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

// included are the files of an Include: absolute, from the home directory, or beside the configuration.
func included(pattern, home string) []string {
	if rest, tilde := strings.CutPrefix(pattern, "~/"); tilde {
		pattern = filepath.Join(home, rest)
	} else if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(home, ".ssh", pattern)
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil // ssh takes such a pattern for one that matches nothing
	}
	return files
}

// plainNames are the patterns that name one host.
func plainNames(patterns []string) []string {
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool { return strings.ContainsAny(p, "*?!") })
}

// sshWords splits a line of ssh_config(5): by blanks, by one = after the keyword, with double quotes, up to a comment.
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
