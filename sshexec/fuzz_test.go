package sshexec

import "testing"

// FuzzSSHAnswer makes settings of any output of ssh -G.
func FuzzSSHAnswer(f *testing.F) {
	f.Add("hostname web\nport 22\nuser me\nuserknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2\n")
	f.Add("port 99999\nconnecttimeout none\nserveraliveinterval -1\nproxyjump a,b\nproxycommand ssh -W %h:%p b\n")
	f.Add("identityfile\nidentityagent none\nrequiredrsasize 99999999999999999999\ncertificatefile \"\n")
	f.Fuzz(func(t *testing.T, output string) {
		pool := NewPool(Options{Home: "/home/me", User: "me", Getenv: func(string) string { return "" }})
		defer pool.Close()
		target := Target{Name: "web"}
		settings, err := newSettings(target, parseSSHOutput(output).configured(sshOutput{}, target))
		if err == nil {
			err = pool.applyDefaults(&settings, target)
		}
		if err == nil && (settings.Port < 1 || settings.Port > 65535 || settings.ConnectTimeout <= 0) {
			t.Errorf("%+v", settings)
		}
	})
}
