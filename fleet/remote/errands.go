package remote

import "time"

// Boot asks which boot a host is in. Its header is "booted BOOT".
func Boot(token string) Script {
	return Script{Text: script("env", "boot") + run, Args: []string{"token=" + token}}
}

// Reboot starts a host anew. Its header is "rebooting BOOT", with the boot that ends, or "refused". The prompt is as in [Job.Launch].
func Reboot(token, prompt string) Script {
	return Script{Text: script("env", "lock", "detach", "reboot") + run, Args: []string{"token=" + token, "prompt=" + prompt}}
}

// Tests runs the scripts hosts/NAME/tests/*.sh of a checkout, each for as long as limit at most. Its output is like that of a job.
func Tests(token, name string, c Checkout, limit time.Duration) Script {
	return Script{
		Text: script("env", "mark", "lock", "home", "preflight", "tests") + run,
		Args: append([]string{"token=" + token, "name=" + name, "test_seconds=" + seconds(limit)}, c.args()...),
	}
}
