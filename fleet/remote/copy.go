package remote

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The scripts that copy store paths exchange their names, without the directory of the store. Those
// that read names get one per line on standard input.

// Who imports store paths on a host.
const (
	ImportAsRoot = "root"
	ImportAsUser = "user" // Nix has to trust the user, or the paths have to be signed
)

// Closure returns the script that prints the closure of what a job has built; see [ParseClosure].
// Its header is "closure" or "refused".
func Closure(token, id string) Script {
	return compose("closure").script(values{"token": {token}, "id": {id}})
}

// Missing returns the script that reads names of store paths and prints which of them the host does
// not have; see [ParseMissing]. It runs next to the job with that ID. Its header is "missing".
func Missing(token, id string) Script {
	return compose("missing").script(values{"token": {token}, "id": {id}})
}

// Substitute returns the script that reads names of store paths and gets those that the host's
// substituters have, for at most limit. It runs next to the job with that ID. After its header,
// "substituting", it prints what Nix prints.
func Substitute(token, id string, nix NixArgs, limit time.Duration) Script {
	return compose("substitute").script(nix.values(values{"token": {token}, "id": {id}, "copy_seconds": {seconds(limit)}}))
}

// Export returns the script that reads names of store paths and prints what nix-store --import
// reads. Its header is "exporting".
func Export(token string) Script {
	return compose("export").script(values{"token": {token}})
}

// Importer returns the script that finds out who can import on a host of that kind. Its header is
// "importer", with [ImportAsRoot] or [ImportAsUser] as its code, or "refused". For the prompt see
// [Job.Launch], for rootBy [Job].
func Importer(token, prompt, kind, rootBy string) Script {
	return compose("importer").script(values{"token": {token}, "prompt": {prompt}, "kind": {kind}, "root_by": {rootBy}})
}

// Import returns the script that reads what [Export] prints, after its header: "importing". It
// exits with the status of nix-store.
func Import(token, prompt, as, rootBy string) Script {
	return compose("import").script(values{"token": {token}, "prompt": {prompt}, "as": {as}, "root_by": {rootBy}})
}

// StorePath is a path of the Nix store.
type StorePath struct {
	Name  string // without the directory
	Bytes int64
}

// storeName matches names of store paths: see checkName in Nix, src/libstore/path.cc.
var storeName = regexp.MustCompile(`^[0-9a-z]{32}-[A-Za-z0-9+._?=-]{1,211}$`)

// StoreName returns the name of a store path, or "" if it is none.
func StoreName(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if !storeName.MatchString(name) {
		return ""
	}
	return name
}

// MaxClosure is how many bytes the answer to [Closure] or [Missing] may have: enough for 100,000
// paths.
const MaxClosure = 16 << 20

// ParseClosure parses the output of [Closure]. Each path comes after those that it refers to.
func ParseClosure(text []byte) ([]StorePath, error) {
	var paths []StorePath
	for line := range strings.Lines(string(text)) {
		name, size, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, err := strconv.ParseInt(size, 10, 64)
		if StoreName(name) != name || err != nil || n < 0 {
			return nil, fmt.Errorf("the host lists %q in a closure", strings.TrimSpace(line))
		}
		paths = append(paths, StorePath{name, n})
	}
	return paths, nil
}

// ParseMissing parses the output of [Missing]: the names, and the free bytes of the store, or -1 if
// they are not known.
func ParseMissing(text []byte) (missing map[string]bool, free int64) {
	missing, free = map[string]bool{}, -1
	for line := range strings.Lines(string(text)) {
		word, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "path":
			missing[value] = true
		case "free":
			if kib, err := strconv.ParseInt(value, 10, 64); err == nil {
				free = kib << 10
			}
		}
	}
	return missing, free
}
