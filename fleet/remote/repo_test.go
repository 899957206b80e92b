package remote

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// repoFixture is a login user's home with a checkout "~/c" that is behind its remote.
type repoFixture struct {
	t                    *testing.T
	home, origin, author string   // author is the clone that pushes
	extra                []string // variables of the login's environment
}

// newHomeFixture returns a login user's home without a checkout.
func newHomeFixture(t *testing.T) *repoFixture {
	home := t.TempDir()
	return &repoFixture{t: t, home: home, origin: filepath.Join(home, "origin.git"), author: filepath.Join(home, "author")}
}

func newRepoFixture(t *testing.T) *repoFixture {
	t.Helper()
	f := newHomeFixture(t)
	for name, file := range repoTemplate() {
		path := filepath.Join(f.home, name)
		if file.dir {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		f.write(name, strings.ReplaceAll(file.text, templateHome, f.home))
	}
	f.git(f.checkout(), "update-index", "-q", "--refresh")
	if _, err := exec.LookPath("nix"); err != nil {
		// Jobs only check that there is one, unless they build.
		f.write(".nix-profile/bin/nix", "#!/bin/sh\nexit 1\n")
		f.sh("chmod +x .nix-profile/bin/nix")
	}
	return f
}

// templateHome stands for the home in the files of the template.
const templateHome = "/template-home"

type templateFile struct {
	dir  bool
	text string
}

// repoTemplate returns the files of a home with its repositories. They are made once, because that
// takes git some twenty processes.
var repoTemplate = sync.OnceValue(func() map[string]templateFile {
	home, err := os.MkdirTemp("", "fleetctl-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(home)
	cmd := exec.Command("sh", "-e", "-c", `cd "$HOME"
cat >.gitconfig <<CONFIG
[user]
	name = Me
	email = me@example.org
[protocol "file"]
	allow = always
[init]
	defaultBranch = main
	templateDir =
CONFIG
git init -q --bare origin.git
git clone -q "$HOME/origin.git" author 2>/dev/null
cd author
mkdir hosts
printf one >hosts/a
printf {} >flake.nix
git add -A
git commit -q -m change
git push -q origin HEAD:main
cd ..
git clone -q "$HOME/origin.git" c`)
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	files := make(map[string]templateFile)
	err = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == home {
			return err
		}
		name, _ := filepath.Rel(home, path)
		if d.IsDir() {
			files[name] = templateFile{dir: true}
			return nil
		}
		text, err := os.ReadFile(path)
		files[name] = templateFile{text: strings.ReplaceAll(string(text), home, templateHome)}
		return err
	})
	if err != nil {
		panic(err)
	}
	return files
})

func (f *repoFixture) checkout() string { return filepath.Join(f.home, "c") }

func (f *repoFixture) write(path, text string) {
	f.t.Helper()
	path = filepath.Join(f.home, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// commit pushes a commit with these files and returns it.
func (f *repoFixture) commit(files map[string]string) string {
	f.t.Helper()
	for name, text := range files {
		f.write("author/"+name, text)
	}
	f.git(f.author, "add", "-A")
	f.git(f.author, "commit", "-q", "--allow-empty", "-m", "change")
	f.git(f.author, "push", "-q", "origin", "HEAD:main")
	return f.git(f.author, "rev-parse", "HEAD")
}

func (f *repoFixture) git(dir string, args ...string) string {
	f.t.Helper()
	return f.sh("git -C \"$0\" \"$@\"", append([]string{dir}, args...)...)
}

// login prepares a command with the environment of a login.
func (f *repoFixture) login(command string, args ...string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{"-c", command}, args...)...)
	cmd.Env, cmd.Dir = f.environ(), f.home
	return cmd
}

// sh runs a command with the environment of a login and returns its output.
func (f *repoFixture) sh(command string, args ...string) string {
	f.t.Helper()
	out, err := f.login(command, args...).CombinedOutput()
	if err != nil {
		f.t.Fatalf("%s %q: %v\n%s", command, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (f *repoFixture) environ() []string {
	return append([]string{"HOME=" + f.home, "PATH=" + os.Getenv("PATH"), "FLEETCTL_ROOT=" + f.home, "LOGNAME=me", "GIT_CONFIG_NOSYSTEM=1"}, f.extra...)
}

// job returns a job of a home, which needs no root, that uses the checkout.
func (f *repoFixture) job(goal, rev string) Job {
	return Job{ID: "r." + Token(), Who: "me", Kind: "home", Attr: "me@h", Repo: "~/c", Branch: "main", Rev: rev, Goal: goal,
		Pull: time.Minute, Build: time.Minute, Verify: time.Minute}
}

// shell prepares a session that runs a script with a umask.
func (f *repoFixture) shell(script Script, umask string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{"-c", "umask " + umask + "; exec sh -s -- \"$@\"", "sh"}, script.Args...)...)
	cmd.Env, cmd.Dir, cmd.Stdin = f.environ(), f.home, strings.NewReader(script.Text)
	return cmd
}

// launch runs a job with a umask to its end and returns its last item and its output. Like the
// engine, it leaves a session at the end marker, and asks again if a session ends before it.
func (f *repoFixture) launch(j Job, umask string) (end Item, output string) {
	f.t.Helper()
	script := j.Launch("t", 0, "")
	for try := 0; try < 10 && end.Word == ""; try++ {
		session, closed := context.WithCancel(f.t.Context())
		cmd := f.shell(script, umask)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		reader := &logReader{item: func(item Item) {
			if item.Kind == EndItem {
				end = item
				closed()
			}
		}}
		cmd.Stdout, cmd.Stderr = reader, reader
		if err := cmd.Start(); err != nil {
			f.t.Fatal(err)
		}
		stop := context.AfterFunc(session, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		err := cmd.Wait()
		stop()
		closed()
		if end.Word == "" && (err != nil || reader.parser == nil) {
			f.t.Fatalf("%v\n%s", err, reader.text)
		}
		_, log, _ := strings.Cut(string(reader.text), "\n")
		output += log
		script = Attach("t", j.ID, int64(len(output)))
	}
	return end, output
}

// logReader parses what a session prints: a header line, then the log.
type logReader struct {
	text   []byte
	parser *Parser // nil before the header
	item   func(Item)
}

func (r *logReader) Write(p []byte) (int, error) {
	r.text = append(r.text, p...)
	if r.parser != nil {
		return r.parser.Write(p)
	}
	header, log, whole := strings.Cut(string(r.text), "\n")
	if words := strings.Fields(header); whole && len(words) >= 3 && words[1] == "following" {
		r.parser = NewParser(words[2], r.item)
		if _, err := r.parser.Write([]byte(log)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// modes returns the modes of all files under a directory by their path, without Git's logs of what
// was run. Objects have random names.
func (f *repoFixture) modes(dir string) map[string]string {
	f.t.Helper()
	modes := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !strings.HasPrefix(name, ".git/logs") && !strings.HasSuffix(name, "_HEAD") {
			modes[name] = fmt.Sprint(info.Mode())
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return modes
}
