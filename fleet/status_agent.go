package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"reflect"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/clean"
)

const (
	agentLimit = 5 * time.Second
	agentBytes = 256 << 10
)

// askAgent asks the agent of a host, on its socket there, how the host fares.
func askAgent(ctx context.Context, conn Conn, socket string) (*health.Health, error) {
	ctx, cancel := context.WithTimeout(ctx, agentLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/v1/health", nil)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return conn.DialContext(ctx, "unix", socket) },
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the agent answers %s", response.Status)
	}
	var told health.Health
	if err := json.NewDecoder(io.LimitReader(response.Body, agentBytes)).Decode(&told); err != nil {
		return nil, fmt.Errorf("the agent's answer: %w", err)
	}
	cleanStrings(reflect.ValueOf(&told).Elem())
	return &told, nil
}

// cleanStrings cleans every string that v is made of: it has come from a host, not through a parser of ours.
func cleanStrings(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(clean.Line([]byte(v.String())))
	case reflect.Pointer:
		if !v.IsNil() {
			cleanStrings(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			cleanStrings(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				cleanStrings(v.Field(i))
			}
		}
	}
}

// withAgent puts together what an agent tells and what a probe found, maybe a while ago. The agent is closer to the machine; the probe
// alone may look into the user's own files.
func withAgent(probed, agent health.Health) health.Health {
	both := agent
	both.Kind, both.Checkout, both.Job = probed.Kind, probed.Checkout, probed.Job
	switch {
	case agent.Kind != probed.Kind: // one user's home on the agent's machine
		both.System, both.FailedUnits, both.NoUnits = probed.System, probed.FailedUnits, ""
	case agent.System.Revision == "" && agent.System.Deployed == probed.System.Deployed:
		both.System.Revision = probed.System.Revision
	}
	both.Taken = maps.Clone(agent.Taken)
	if both.Taken == nil {
		both.Taken = make(map[string]time.Time)
	}
	both.Taken["checkout"], both.Taken["job"] = probed.Time, probed.Time
	if both.NoUnits != "" {
		both.FailedUnits, both.NoUnits = probed.FailedUnits, ""
		both.Taken["failed_units"] = probed.Time
	}
	return both
}
