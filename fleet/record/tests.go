package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// testsPath returns the file of the last result of a host's repository tests. It is next to the
// records, because tests are not a run: $XDG_STATE_HOME/fleetctl/tests/FLEET/HOST.json.
func (s *Store) testsPath(fleet, host string) string {
	return filepath.Join(filepath.Dir(s.Dir), "tests", "="+url.PathEscape(fleet), host+".json")
}

// SaveTests keeps the last result of a host's repository tests in place of the one before.
func (s *Store) SaveTests(fleet, host string, result health.TestRun) error {
	path := s.testsPath(fleet, host)
	text, err := json.Marshal(result)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	var f *os.File
	if err == nil {
		f, err = os.CreateTemp(filepath.Dir(path), ".*.new")
	}
	if err == nil {
		defer os.Remove(f.Name())
		_, err = f.Write(append(text, '\n'))
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("test results: %w", err)
	}
	return nil
}

// LastTests returns the last results of the repository tests of a fleet's hosts. Files that cannot
// be read are left out, and an error names them.
func (s *Store) LastTests(fleet string) (map[string]health.TestRun, error) {
	files, err := os.ReadDir(filepath.Dir(s.testsPath(fleet, "host")))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	results := make(map[string]health.TestRun)
	for _, file := range files {
		host, isResult := strings.CutSuffix(file.Name(), ".json")
		if !isResult {
			continue
		}
		var result health.TestRun
		path := s.testsPath(fleet, host)
		text, fileErr := os.ReadFile(path)
		if fileErr == nil {
			fileErr = json.Unmarshal(text, &result)
		}
		if fileErr != nil {
			err = errors.Join(err, fmt.Errorf("test results %q: %w", path, fileErr))
			continue
		}
		results[host] = result
	}
	return results, err
}
