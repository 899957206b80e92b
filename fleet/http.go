package fleet

import (
	"fmt"
	"io"
	"net/http"
)

// answered makes a request over a connection of its own. An answer whose status is as much as bad, or more, is an error.
func answered(transport *http.Transport, request *http.Request, bad int) error {
	transport.DisableKeepAlives = true
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	if response.StatusCode >= bad {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return nil
}
