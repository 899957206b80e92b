package host

import (
	"fmt"
	"io"
	"net/http"
)

// CheckHTTP makes a request over a new connection and returns an error unless the status of the
// response is acceptable. If want is not 0, only that status is, and redirects are not followed.
// Otherwise every status below limit is.
func CheckHTTP(transport *http.Transport, request *http.Request, want, limit int) error {
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
		return fmt.Errorf("the status is %s, not %d", response.Status, want)
	case want == 0 && response.StatusCode >= limit:
		return fmt.Errorf("the status is %s", response.Status)
	}
	return nil
}
