package remote

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestForwardedAgentIsNotCountedOn has a remote that can be read only with an ssh-agent.
func TestForwardedAgentIsNotCountedOn(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "agent") // paths of sockets are limited to about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	// git runs this instead of ssh.
	const gitSSH = `#!/bin/sh
if [ ! -S "${SSH_AUTH_SOCK:-}" ]; then echo "git@example.org: Permission denied (publickey)." >&2; exit 255; fi
for command in "$@"; do :; done
exec sh -c "$command"
`
	setUp := func() *repoFixture {
		f := newRepoFixture(t)
		f.write("git-ssh", gitSSH)
		f.sh("chmod +x git-ssh; git config --global core.sshCommand ~/git-ssh; git -C c remote set-url origin ssh://git@example.org$0", f.origin)
		f.extra = []string{"SSH_AUTH_SOCK=" + socket}
		return f
	}
	f := setUp()
	j := f.job("switch", f.commit(nil))
	j.Attended, j.Confirm, j.SwitchCommand = false, "self", "true"
	end, out := f.launch(j, "022")
	if end.Word != "unchanged" || !strings.Contains(out, "warn code=agent-leaves\n") {
		t.Errorf("with the agent, the job ended with %+v\n%s", end, out)
	}

	f = setUp()
	script := composeText("# uses: checkout survey\nmain() {\n  take \"$@\"\n  nonce=n dir=$HOME rev=x\n  find_checkout\n  find_routes\n  survey\n  cat answered\n}\n", "")
	cmd := f.shell(Script{Text: script.text, Args: []string{"repo=~/c", "managed=no", "remote=", "branch=main", "confirm=self", "elsewhere=no", "rev=x"}}, "022")
	survey, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(survey), "n warn code=agent-only url=") || strings.Contains(string(survey), "\nremote ") {
		t.Errorf("the survey printed %q, %v", survey, err)
	}

	f = setUp()
	listener.Close()
	end, out = f.launch(f.job("pull", f.commit(nil)), "022")
	if end.Code != "no-access" || !strings.HasSuffix(end.Text, "; the ssh-agent that was forwarded to the host is gone") {
		t.Errorf("without the agent, the job ended with %+v\n%s", end, out)
	}
}
