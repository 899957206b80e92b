package cli

import (
	"io"
	"os"
	"path/filepath"
)

// writeFileAtomic replaces a file atomically: a reader sees either the old content or all of the
// new.
func writeFileAtomic(path string, mode os.FileMode, write func(io.Writer) error) error {
	// Readers of the directory, such as node_exporter, go by the suffix: an incomplete file has a
	// different one.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
