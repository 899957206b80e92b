package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// notify tells of the run's end. What goes wrong with that is returned, a line each, and changes nothing else.
func notify(ctx context.Context, n inventory.Notify, report fleet.Report) (problems []string) {
	if n.OnFailure && report.ExitCode == fleet.ExitOK {
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
		try("the command", func(ctx context.Context) error { return host.RunLocal(ctx, n.Command, text) })
	}
	if n.URL != "" {
		try(n.URL, func(ctx context.Context) error { return notifyURL(ctx, n.URL, text) })
	}
	return problems
}

func notifyURL(ctx context.Context, url string, report []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(report))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	return host.Do(&http.Transport{Proxy: http.ProxyFromEnvironment}, request, 0, 300)
}
