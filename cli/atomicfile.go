package cli

import (
	"io"
	"os"
	"path/filepath"
)

// writeWhole puts a file in its place whole: whoever reads it has the one from before, or all of this one.
func writeWhole(path string, mode os.FileMode, write func(io.Writer) error) error {
	// Readers of the directory, such as node_exporter, go by the ending: a file under way has another.
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
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
