package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// ListClosure returns the closure of what a job has built, on the host of the connection. Each path
// comes after those that it refers to.
func ListClosure(ctx context.Context, conn Conn, id string) ([]remote.StorePath, error) {
	header, text, err := askAll(ctx, conn, func(token string) remote.Script { return remote.Closure(token, id) }, remote.MaxClosure)
	if err != nil {
		return nil, err
	}
	if header.Word != "closure" {
		return nil, &codeError{string(fleet.CodeVanished), "what was built is not there anymore"}
	}
	return remote.ParseClosure(text)
}

// ListMissing returns which of the paths the host of the connection does not have, next to the job
// with that ID, and how many bytes its store has left, or -1 if that is not known.
func ListMissing(ctx context.Context, conn Conn, id string, paths []remote.StorePath) (missing []remote.StorePath, free int64, err error) {
	_, text, err := askWith(ctx, conn, func(token string) remote.Script { return remote.Missing(token, id) }, namesOf(paths), remote.MaxClosure)
	if err != nil {
		return nil, 0, err
	}
	names, free := remote.ParseMissing(text)
	for _, p := range paths {
		if names[p.Name] {
			missing = append(missing, p)
		}
	}
	return missing, free, nil
}

// namesOf returns the input of a script that reads names of paths.
func namesOf(paths []remote.StorePath) io.Reader {
	var names strings.Builder
	for _, p := range paths {
		names.WriteString(p.Name + "\n")
	}
	return strings.NewReader(names.String())
}

// Substitute has a host get those of the paths that its substituters have, for at most limit, next
// to the job with that ID. options are settings for Nix. What Nix prints goes to log. That a path
// has no substitute is not an error.
func Substitute(
	ctx context.Context, conn Conn, id string, options inventory.NixArgs, paths []remote.StorePath, limit time.Duration, log io.Writer,
) error {
	token := remote.Token()
	s := openSession(ctx, conn, remote.Substitute(token, id, remoteNixArgs(options), limit), token, nil, namesOf(paths))
	defer s.Close()
	for m := range s.Messages {
		_, _ = log.Write(m.Log) // the caller's own
	}
	return s.Err
}

// Importer is who imports paths on a host.
type Importer struct {
	as     string // one of the Import constants of package remote
	rootBy string
	sudo   *SudoPassword
}

// FindImporter returns who imports paths on a host. If that takes a password, it asks the operator.
// ask is like [Client.SudoPassword], and sudo keeps the password. If the host refuses, it returns
// the host's result.
func FindImporter(
	ctx context.Context, conn Conn, h *inventory.Host, sudo *SudoPassword, ask func(context.Context, string, bool) (string, error),
) (*Importer, *fleet.Result, error) {
	for {
		token := remote.Token()
		prompt, password := sudo.Reader()
		s := OpenSession(ctx, conn, remote.Importer(token, prompt, string(h.Kind), h.Sudo), token, password)
		header, _, err := s.read(0)
		s.Close()
		switch {
		case err != nil:
			return nil, nil, err
		case header.Word == "importer":
			return &Importer{header.Code, h.Sudo, sudo}, nil, nil
		case !NeedsSudo(header):
			return nil, RefusalResult(fleet.Copy, header, h), nil
		}
		if result := sudo.Ask(ctx, ask, header, h); result != nil {
			return nil, result, nil
		}
	}
}

// ImportError means that a host did not import paths although they have arrived.
type ImportError struct {
	Code fleet.Code
	Text string // what nix-store printed last
}

func (e *ImportError) Error() string { return e.Text }

// SendPaths copies paths from the store of one host to that of another, which has all that they
// refer to or gets it before them. sent is called with the number of bytes that were just passed
// on. If it fails, paths that have arrived as a whole stay. An [ImportError] means that trying
// again does not help.
func SendPaths(ctx context.Context, from, to Conn, paths []remote.StorePath, importer *Importer, sent func(n int)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	token := remote.Token()
	prompt, password := importer.sudo.Reader()
	if importer.as == remote.ImportAsUser {
		prompt, password = "", nil
	}
	r, w := io.Pipe()
	imported := openSession(ctx, to, remote.Import(token, prompt, importer.as, importer.rootBy), token, password, r)
	defer imported.Close()
	finished := make(chan struct{})
	started := false
	go func() {
		defer close(finished)
		for m := range imported.Messages {
			started = started || m.Header != nil
		}
		r.CloseWithError(errors.New("the host has stopped to import"))
	}()

	token = remote.Token()
	exported := openSession(ctx, from, remote.Export(token), token, nil, namesOf(paths))
	defer exported.Close()
	var err error
	for m := range exported.Messages {
		if err != nil || len(m.Log) == 0 {
			continue
		}
		var n int
		n, err = w.Write(m.Log)
		sent(n)
		if err != nil {
			exported.cancel(nil)
		}
	}
	switch {
	case err != nil: // the import ended first, and says why
	case exported.Err != nil:
		err = fmt.Errorf("reading from the builder: %w", exported.Err)
	case exported.exit != 0:
		err = &ScriptError{fmt.Sprintf("nix-store --export exited with %d: %s", exported.exit, exported.stderr.last())}
	}
	w.CloseWithError(io.EOF)
	select {
	case <-finished:
	case <-ctx.Done():
		cancel()
		<-finished
	}
	switch {
	case imported.Err != nil:
		return imported.Err
	case !started:
		return imported.NotRun()
	case imported.exit != 0 && (err == nil || errors.Is(err, io.ErrClosedPipe) || exported.Err == nil):
		return importError(imported.exit, clean.Line([]byte(imported.stderr.last())), err)
	}
	return err
}

// importError returns the error of an import that failed. sending is what kept the rest from being
// sent, or nil.
func importError(exit int, text string, sending error) error {
	switch {
	case strings.Contains(text, "lacks a signature by a trusted key"), strings.Contains(text, "lacks a valid signature"):
		return &ImportError{fleet.CodeUntrusted, text}
	case strings.Contains(text, "No space left on device"), strings.Contains(text, "Disk quota exceeded"):
		return &ImportError{fleet.CodeDisk, text}
	case strings.Contains(text, "unexpected end-of-file") && sending != nil:
		return sending
	}
	return &ScriptError{fmt.Sprintf("nix-store --import exited with %d: %s", exit, text)}
}
