package sshexec

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// expandTilde replaces a leading ~/ with the home directory, and ~NAME/ with the one of that user.
func expandTilde(path, home string) string {
	name, ok := strings.CutPrefix(path, "~")
	if !ok {
		return path
	}
	name, rest, _ := strings.Cut(name, "/")
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return path
		}
		home = u.HomeDir
	}
	return filepath.Join(home, rest)
}

// The tokens that keywords accept (ssh_config(5), TOKENS).
const (
	pathTokens         = "%CdhijkLlnpru"
	proxyCommandTokens = "%hknpr"
)

// expandTokens expands the tokens of a path, and environment variables in the form ${NAME}. An
// unknown token or an unset variable is an error, as in ssh.
func (p *Pool) expandTokens(text string, s Settings) (string, error) {
	return p.expand(text, pathTokens, true, s)
}

// expandPercent expands tokens only, because a shell will expand variables.
func (p *Pool) expandPercent(text, tokens string, s Settings) (string, error) {
	return p.expand(text, tokens, false, s)
}

func (p *Pool) expand(text, tokens string, variables bool, s Settings) (string, error) {
	if !strings.ContainsAny(text, "%$") {
		return text, nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '%':
			if i++; i == len(text) || !strings.Contains(tokens, text[i:i+1]) {
				return "", fmt.Errorf("unsupported token %q in %q", text[i-1:min(i+1, len(text))], text)
			}
			b.WriteString(p.tokenValue(text[i], s))
		case variables && strings.HasPrefix(text[i:], "${"):
			name, _, ok := strings.Cut(text[i+2:], "}")
			value := p.options.Getenv(name)
			if !ok || value == "" {
				return "", fmt.Errorf("environment variable %q in %q is not set", name, text)
			}
			b.WriteString(value)
			i += len("${}") + len(name) - 1
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), nil
}

func (p *Pool) tokenValue(letter byte, s Settings) string {
	switch letter {
	case 'C':
		return connectionHash(p.tokenValue('l', s), s.Hostname, strconv.Itoa(s.Port), s.User, p.tokenValue('j', s))
	case 'd':
		return p.options.Home
	case 'h':
		return s.Hostname
	case 'i':
		return strconv.Itoa(os.Getuid())
	case 'j':
		if s.ProxyJump == "" {
			return ""
		}
		h, _ := parseJump(s.ProxyJump)
		return h.name
	case 'k':
		if s.HostKeyAlias != "" {
			return s.HostKeyAlias
		}
		return s.Alias
	case 'L':
		short, _, _ := strings.Cut(localHostname(), ".")
		return short
	case 'l':
		return localHostname()
	case 'n':
		return s.Alias
	case 'p':
		return strconv.Itoa(s.Port)
	case 'r':
		return s.User
	case 'u':
		return p.options.User
	}
	return "%"
}

// connectionHash returns the value of %C (ssh_connection_hash in readconf.c).
func connectionHash(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}
