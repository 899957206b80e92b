package inventory

import "testing"

func TestCheckKinds(t *testing.T) {
	for _, tt := range []struct {
		what         string
		command, web bool
	}{
		{"systemctl is-active x", true, false},
		{"curl -f https://a/", true, false},
		{"'https://a/'", true, false},
		{"x=http://a", true, false},
		{"./a://b", true, false},
		{"tcp://a:53", false, false},
		{"http://a/", false, true},
		{"https://a/", false, true},
	} {
		c := Check{What: tt.what}
		if c.Command() != tt.command || c.Web() != tt.web {
			t.Errorf("%s: command %v, web %v", tt.what, c.Command(), c.Web())
		}
	}
}

func TestCheckStringShowsStatusAndOrigin(t *testing.T) {
	for want, c := range map[string]Check{
		"true":                             {What: "true"},
		"http://a/ (401)":                  {What: "http://a/", Status: 401},
		"true from the operator's machine": {What: "true", Operator: true},
		"http://a/ (200) from the operator's machine": {What: "http://a/", Status: 200, Operator: true},
	} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
