package remote

import (
	"cmp"
	"crypto/rand"
	"strconv"
	"time"
)

// Token returns a random word for a header or a prompt.
func Token() string { return rand.Text() }

// Attach returns the script that prints the log of a job from offset to its end. Its header is
// "following" or "absent".
func Attach(token, id string, offset int64) Script {
	return compose("attach").script(values{"token": {token}, "id": {id}, "offset": {strconv.FormatInt(offset, 10)}})
}

// Cancel returns the script that ends a job that has not started to activate. Its header is
// "cancelled", "absent" or "refused".
func Cancel(token, id string) Script {
	return compose("cancel").script(values{"token": {token}, "id": {id}})
}

// Signal returns the script that gives a job a word: "go" to activate, "present" if an operator
// would confirm if that were possible, "confirm" if a new login works and "back" if none does. A
// job accepts "confirm" only over a connection that is newer than the activation. "path" is for a
// job that waits for its configuration, and value is the name of the store path; other words have
// no value. The header is "told", "absent" or "refused".
func Signal(token, id, word, value string) Script {
	return compose("signal").script(values{"token": {token}, "id": {id}, "word": {word}, "value": {value}})
}

// LsRemote returns the script that asks the host's git for the commit at the tip of a branch: of
// the checkout's origin, or of the remote if repo is "". Its header is "tip" or "refused".
func LsRemote(token, repo, remote, branch string) Script {
	c := Checkout{Repo: repo, Managed: repo == "", Remote: remote}
	return compose("lsremote").script(c.values(values{"token": {token}, "branch": {branch}}))
}

// Boot returns the script that prints the ID of the current boot. Its header is "booted".
func Boot(token string) Script {
	return compose("boot").script(values{"token": {token}})
}

// Reboot returns the script that reboots a host. Its header is "rebooting", with the ID of the boot
// that ends, or "refused". For the prompt see [Job.Launch], for
// rootBy [Job].
func Reboot(token, prompt, rootBy string) Script {
	return compose("reboot").script(values{"token": {token}, "prompt": {prompt}, "root_by": {cmp.Or(rootBy, "auto")}})
}

// RepoTests returns the script that runs hosts/NAME/tests/*.sh of a checkout, each for at most
// each, and all of them for at most limit. Its output is like that of a job.
func RepoTests(token, name string, c Checkout, each, limit time.Duration) Script {
	return compose("repotests").script(c.values(values{
		"token": {token}, "name": {name}, "each_seconds": {seconds(each)}, "test_seconds": {seconds(limit)},
	}))
}

// Exec returns the script that runs a command of the operator with sh.
func Exec(command string) Script {
	return Script{Text: compose("exec").text, Args: []string{command}}
}

// Checkout is the place where a host has its configuration.
type Checkout struct {
	Repo     string // the user's own; "~/" is the home of the login user
	Managed  bool   // use the clone that fleetctl keeps of Remote instead of Repo
	Remote   string
	FlakeDir string // the directory of the flake in the checkout; "" is its root
}

// values adds the inputs that describe the checkout.
func (c Checkout) values(v values) values {
	v["repo"], v["managed"], v["remote"] = []string{c.Repo}, []string{yesNo(c.Managed)}, []string{c.Remote}
	v["flake_dir"] = []string{c.FlakeDir}
	return v
}

// seconds formats a limit. It is at least one second.
func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d/time.Second))) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
