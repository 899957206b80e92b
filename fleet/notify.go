package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"syscall"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// notify tells of the run's end. What goes wrong with that is returned, a line each, and changes nothing else.
func notify(ctx context.Context, n inventory.Notify, report Report) (problems []string) {
	if n.OnFailure && report.ExitCode == ExitOK {
		return nil
	}
	text, err := json.Marshal(report)
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	try := func(whom string, tell func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, n.Timeout)
		defer cancel()
		if err := tell(ctx); err != nil {
			problems = append(problems, clean.Line([]byte(fmt.Sprintf("nobody was notified by %s: %v", whom, err))))
		}
	}
	if n.Command != "" {
		try("the command", func(ctx context.Context) error { return notifyCommand(ctx, n.Command, text) })
	}
	if n.URL != "" {
		try(n.URL, func(ctx context.Context) error { return notifyURL(ctx, n.URL, text) })
	}
	return problems
}

// notifyCommand runs a command of the operator's with the report on standard input. It ends with its children when time is up.
func notifyCommand(ctx context.Context, command string, report []byte) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.Stdin = bytes.NewReader(report)
	output := &said{}
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch last := output.last(); {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it has ended, and what it left in the background is its own affair
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case last != "":
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}

func notifyURL(ctx context.Context, url string, report []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(report))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	return answered(&http.Transport{Proxy: http.ProxyFromEnvironment}, request, 300)
}
