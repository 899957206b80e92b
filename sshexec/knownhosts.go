package sshexec

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// marker is the optional first field of a known_hosts line.
type marker string

const (
	noMarker            marker = ""
	markerCertAuthority marker = "@cert-authority"
	markerRevoked       marker = "@revoked"
)

// knownKey is one line of a known_hosts file. Its key stays encoded until the line turns out to be
// about the host in question, which most lines never are.
type knownKey struct {
	marker  marker
	file    string
	line    int
	encoded string // base64
	key     ssh.PublicKey
}

// knownHostsFile is a known_hosts file, indexed for lookups: plain names by name, followed by the
// lines that have to be tried one by one. The format is described in sshd(8), SSH_KNOWN_HOSTS FILE
// FORMAT.
type knownHostsFile struct {
	mu       sync.RWMutex
	stamp    fileStamp
	lines    int
	byName   map[string][]*knownKey
	patterns []patternLine
	marked   []hashedLine     // hashed lines with a marker
	hashed   []hashedLine     // those without
	byKey    map[string][]int // the indices in hashed of each encoded key
	types    map[string]bool  // of the keys in hashed

	foundMu sync.Mutex
	found   map[string][]*knownKey // what earlier searches in hashed found, by name
}

// manyHashedLines is how many hashed lines a file has if searching them for every host would take
// longer than the logins. Each line has a salt of its own, so there can be no index of the names.
const manyHashedLines = 512

type patternLine struct {
	patterns []string
	key      *knownKey
}

type hashedLine struct {
	salt []byte
	hash [sha1.Size]byte
	key  *knownKey
}

// knownHostsCache caches files until they change.
type knownHostsCache struct {
	mu    sync.Mutex
	files map[string]*knownHostsFile
}

func (c *knownHostsCache) open(path string) *knownHostsFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.files[path]; f != nil && f.isCurrent(newFileStamp(path)) {
		return f
	}
	f := readKnownHostsFile(path)
	if c.files == nil {
		c.files = make(map[string]*knownHostsFile)
	}
	c.files[path] = f
	return f
}

func (f *knownHostsFile) isCurrent(stamp fileStamp) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.stamp == stamp
}

// appended records that this process has added a line to a file that had the stamp before, so that
// the file does not have to be read again.
func (c *knownHostsCache) appended(before fileStamp, line string) {
	c.mu.Lock()
	f := c.files[before.path]
	c.mu.Unlock()
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stamp != before {
		return
	}
	f.lines++
	f.parseLine(before.path, f.lines, line)
	f.stamp = newFileStamp(before.path)
}

// readKnownHostsFile parses a file. Like OpenSSH, it treats a missing or unreadable file as empty
// and skips malformed lines; neither can make an unknown key known.
func readKnownHostsFile(path string) *knownHostsFile {
	f := &knownHostsFile{stamp: newFileStamp(path), byName: make(map[string][]*knownKey)}
	text, err := os.ReadFile(path)
	if err != nil {
		return f
	}
	for line := range bytes.Lines(text) {
		f.lines++
		f.parseLine(path, f.lines, string(line))
	}
	return f
}

func (f *knownHostsFile) parseLine(path string, number int, line string) {
	fields := strings.Fields(line)
	if len(fields) == 0 || fields[0][0] == '#' {
		return
	}
	key := &knownKey{marker: noMarker, file: path, line: number}
	if fields[0][0] == '@' {
		key.marker = marker(fields[0])
		if key.marker != markerCertAuthority && key.marker != markerRevoked {
			return
		}
		fields = fields[1:]
	}
	if len(fields) < 3 {
		return
	}
	hosts := fields[0]
	key.encoded = fields[2]
	switch {
	case strings.HasPrefix(hosts, "|1|"):
		salt, hash, _ := strings.Cut(hosts[len("|1|"):], "|")
		h := hashedLine{key: key}
		sum, err := base64.StdEncoding.DecodeString(hash)
		if err != nil || len(sum) != len(h.hash) {
			return
		}
		if h.salt, err = base64.StdEncoding.DecodeString(salt); err != nil {
			return
		}
		copy(h.hash[:], sum)
		if key.marker != noMarker {
			f.marked = append(f.marked, h)
			return
		}
		if f.byKey == nil {
			f.byKey, f.types = make(map[string][]int), make(map[string]bool)
		}
		f.byKey[key.encoded] = append(f.byKey[key.encoded], len(f.hashed))
		f.types[fields[1]] = true
		f.found = nil
		f.hashed = append(f.hashed, h)
	case strings.ContainsAny(hosts, "*?!"):
		f.patterns = append(f.patterns, patternLine{strings.Split(strings.ToLower(hosts), ","), key})
	default:
		for name := range strings.SplitSeq(strings.ToLower(hosts), ",") {
			f.byName[name] = append(f.byName[name], key)
		}
	}
}

// eachKey calls yield for each key that the file has for a name, which must be in lower case.
// Hashed plain keys, which are expensive to find, are left out unless withHashed is set.
func (f *knownHostsFile) eachKey(name string, withHashed bool, yield func(*knownKey)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, key := range f.byName[name] {
		yield(key)
	}
	for _, p := range f.patterns {
		if matchPatternList(p.patterns, name) {
			yield(p.key)
		}
	}
	for _, h := range f.marked {
		if hashName(name, h.salt) == h.hash {
			yield(h.key)
		}
	}
	if !withHashed {
		return
	}
	for _, key := range f.search(name) {
		yield(key)
	}
}

// search returns the keys in hashed lines for a name. The caller holds mu for reading.
func (f *knownHostsFile) search(name string) []*knownKey {
	f.foundMu.Lock()
	keys, known := f.found[name]
	f.foundMu.Unlock()
	if known || len(f.hashed) == 0 {
		return keys
	}
	for _, h := range f.hashed {
		if hashName(name, h.salt) == h.hash {
			keys = append(keys, h.key)
		}
	}
	if len(f.hashed) > manyHashedLines {
		f.foundMu.Lock()
		defer f.foundMu.Unlock()
		if f.found == nil {
			f.found = make(map[string][]*knownKey)
		}
		f.found[name] = keys
	}
	return keys
}

// hasManyHashed reports whether the file has so many hashed lines that hasHashedKey should come
// before a search.
func (f *knownHostsFile) hasManyHashed() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.hashed) > manyHashedLines
}

// hasHashedKey reports whether a hashed line has a key for a name. It only looks at the lines that
// have that key.
func (f *knownHostsFile) hasHashedKey(name string, key ssh.PublicKey) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	matches := func(i int) bool { return hashName(name, f.hashed[i].salt) == f.hashed[i].hash }
	return slices.ContainsFunc(f.byKey[base64.StdEncoding.EncodeToString(key.Marshal())], matches)
}

// hasHashedType reports whether hashed lines have keys of a type.
func (f *knownHostsFile) hasHashedType(keyType string) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.types[keyType]
}

// hashName returns the HMAC-SHA1 of a name with the salt as key, which is how HashKnownHosts hashes
// names.
func hashName(name string, salt []byte) (sum [sha1.Size]byte) {
	if len(salt) > sha1.BlockSize || len(name) > 256 {
		mac := hmac.New(sha1.New, salt)
		mac.Write([]byte(name))
		mac.Sum(sum[:0])
		return sum
	}
	// The same computation (RFC 2104) without the allocations of crypto/hmac: a file may have ten
	// thousand hashed lines, and every lookup tries all of them.
	var inner [sha1.BlockSize + 256]byte
	var outer [sha1.BlockSize + sha1.Size]byte
	copy(inner[:], salt)
	copy(outer[:], salt)
	for i := range sha1.BlockSize {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	n := copy(inner[sha1.BlockSize:], name)
	sum = sha1.Sum(inner[:sha1.BlockSize+n])
	copy(outer[sha1.BlockSize:], sum[:])
	return sha1.Sum(outer[:])
}

func (k *knownKey) decode() (ssh.PublicKey, error) {
	blob, err := base64.StdEncoding.DecodeString(k.encoded)
	if err != nil {
		return nil, err
	}
	return ssh.ParsePublicKey(blob)
}
