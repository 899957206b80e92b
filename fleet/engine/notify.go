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

// sendNotification reports the end of a run to the configured command and URL. It returns a line
// for each that failed; nothing else depends on it.
func sendNotification(ctx context.Context, n inventory.Notify, report fleet.Report) (problems []string) {
	if n.OnFailure && report.ExitCode == fleet.ExitOK {
		return nil
	}
	text, err := json.Marshal(report)
	if err != nil {
		panic(err) // it consists of strings and numbers
	}
	try := func(target string, send func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, n.Timeout)
		defer cancel()
		if err := send(ctx); err != nil {
			problems = append(problems, clean.Line([]byte(fmt.Sprintf("cannot notify %s: %v", target, err))))
		}
	}
	if n.Command != "" {
		try("the command", func(ctx context.Context) error { return host.RunLocal(ctx, n.Command, text) })
	}
	if n.URL != "" {
		try(n.URL, func(ctx context.Context) error { return postReport(ctx, n.URL, text) })
	}
	return problems
}

func postReport(ctx context.Context, url string, report []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(report))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	return host.CheckHTTP(&http.Transport{Proxy: http.ProxyFromEnvironment}, request, 0, 300)
}
