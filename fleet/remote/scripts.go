package remote

import (
	"cmp"
	"crypto/rand"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed *.sh
var files embed.FS

// run is the last line of every script. It is one line so that the shell has read the whole script before the first command of
// it runs: what follows on standard input is then for the commands, even where the shell reads ahead.
const run = "main \"$@\"; exit $?\n"

// script puts the named files together.
func script(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		text, err := files.ReadFile(name + ".sh")
		if err != nil {
			panic(err) // a name in this file that is not embedded: every test fails
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.String()
}

// jobScript and rootScript are what launch leaves on the host; launchScript writes them from here-documents.
func jobScript() string {
	return script("env", "mark", "lock", "home", "preflight", "pull", "build", "await", "activate", "verify", "confirm", "job") + run
}

func rootScript() string { return script("env", "lock", "detach", "await", "root") + run }

func launchScript() string {
	return script("env", "lock", "detach", "home", "preflight", "follow", "end", "launch") +
		"write_scripts() {\n" + hereDocument("job.sh", jobScript()) + hereDocument("root.sh", rootScript()) + "}\n" + run
}

func hereDocument(name, text string) string {
	const end = "END_OF_FLEETCTL_SCRIPT"
	return fmt.Sprintf("cat >\"$dir/%s\" <<'%s'\n%s%s\n", name, end, text, end)
}

// Launch starts the job, unless it was started before, and prints its log from offset. With a prompt, sudo asks for a password with
// it on standard error, and reads it from what follows the script on standard input; a second prompt means that it was wrong.
// Without one, a host whose sudo wants a password answers refused sudo-password.
func (j Job) Launch(token string, offset int64, prompt string) Script {
	args := append([]string{"token=" + token, offsetArg(offset), "prompt=" + prompt}, j.args()...)
	return Script{Text: launchScript(), Args: args}
}

// Check is the preflight alone: its output is like that of a job that ends after it.
func (j Job) Check(token string) Script {
	return Script{Text: script("env", "mark", "lock", "home", "preflight", "check") + run, Args: append([]string{"token=" + token}, j.args()...)}
}

// Follow prints a job's log from offset to its end.
func Follow(token, id string, offset int64) Script {
	return Script{Text: script("env", "lock", "home", "preflight", "follow", "again") + run, Args: []string{"token=" + token, "id=" + id, offsetArg(offset)}}
}

// Cancel ends a job that has not begun to activate.
func Cancel(token, id string) Script {
	return Script{Text: script("env", "lock", "home", "preflight", "follow", "end", "cancel") + run, Args: []string{"token=" + token, "id=" + id}}
}

// Tell says a word to a job: "go" on to the activation, I am "present", I "confirm" it, go "back". It is confirmed only over a connection
// that was made after the activation.
func Tell(token, id, word string) Script {
	return Script{Text: script("env", "lock", "tell") + run, Args: []string{"token=" + token, "id=" + id, "word=" + word}}
}

// Tip asks the host's git which commit the branch is at: of the checkout's origin, or of remote where repo is "".
func Tip(token, repo, remote, branch string) Script {
	return Script{
		Text: script("env", "home", "preflight", "tip") + run,
		Args: []string{"token=" + token, "repo=" + repo, "managed=" + yes(repo == ""), "remote=" + remote, "branch=" + branch},
	}
}

// Exec runs a command of the operator's with sh.
func Exec(command string) Script {
	return Script{Text: script("env", "exec") + run, Args: []string{command}}
}

// Token returns a random word for a header or a prompt.
func Token() string { return rand.Text() }

func (j Job) args() []string {
	args := []string{
		"id=" + j.ID, "who=" + j.Who, "kind=" + j.Kind, "attr=" + j.Attr,
		"repo=" + j.Repo, "managed=" + yes(j.Managed), "remote=" + j.Remote, "branch=" + j.Branch, "rev=" + j.Rev,
		"goal=" + j.Goal, "switch_command=" + j.SwitchCommand,
		"preflight_seconds=" + seconds(j.Preflight), "pull_seconds=" + seconds(j.Pull),
		"build_seconds=" + seconds(j.Build), "verify_seconds=" + seconds(j.Verify),
		"attended=" + yes(j.Attended), "confirm=" + cmp.Or(j.Confirm, "none"), "confirm_seconds=" + seconds(j.ConfirmTimeout),
		"to=" + strconv.Itoa(j.To), "steal=" + yes(j.StealLock),
	}
	for _, command := range j.Health {
		args = append(args, "health="+command)
	}
	return args
}

func offsetArg(offset int64) string { return "offset=" + strconv.FormatInt(offset, 10) }

func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d/time.Second))) }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
