package sshexec

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// expandTilde replaces a leading ~/ with the home directory.
func expandTilde(path, home string) string {
	switch {
	case path == "~":
		return home
	case strings.HasPrefix(path, "~/"):
		return filepath.Join(home, path[2:])
	}
	return path
}

// expandTokens expands the tokens listed in ssh_config(5), TOKENS, and environment variables in the
// form ${NAME}. An unknown token or an unset variable is an error, because a partially expanded
// path or command is worse than none.
func (p *Pool) expandTokens(text string, s Settings) (string, error) {
	if !strings.ContainsAny(text, "%$") {
		return text, nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '%' && i+1 < len(text):
			i++
			value, ok := p.tokenValue(text[i], s)
			if !ok {
				return "", fmt.Errorf("unsupported token %q in %q", text[i-1:i+1], text)
			}
			b.WriteString(value)
		case strings.HasPrefix(text[i:], "${"):
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

func (p *Pool) tokenValue(letter byte, s Settings) (value string, ok bool) {
	localHost, _ := os.Hostname()
	switch letter {
	case '%':
		return "%", true
	case 'd':
		return p.options.Home, true
	case 'h':
		return s.Hostname, true
	case 'i':
		return strconv.Itoa(os.Getuid()), true
	case 'k':
		if s.HostKeyAlias != "" {
			return s.HostKeyAlias, true
		}
		return s.Alias, true
	case 'L':
		short, _, _ := strings.Cut(localHost, ".")
		return short, true
	case 'l':
		return localHost, true
	case 'n':
		return s.Alias, true
	case 'p':
		return strconv.Itoa(s.Port), true
	case 'r':
		return s.User, true
	case 'u':
		return p.options.User, true
	case 'j':
		return s.ProxyJump, true
	}
	return "", false
}
