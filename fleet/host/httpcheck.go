package host

import (
	"fmt"
	"io"
	"net/http"
)

// answered makes a request over a connection of its own. Where the answer is to be one status, redirections are not followed; else an
// answer whose status is as much as bad, or more, is an error.
func Do(transport *http.Transport, request *http.Request, want, bad int) error {
	transport.DisableKeepAlives = true
	client := &http.Client{Transport: transport}
	if want != 0 {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	switch {
	case want != 0 && response.StatusCode != want:
		return fmt.Errorf("it answers %s, not %d", response.Status, want)
	case want == 0 && response.StatusCode >= bad:
		return fmt.Errorf("it answers %s", response.Status)
	}
	return nil
}
