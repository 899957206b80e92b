package remote

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// answer runs a script, and returns what it prints after its header, without the end of the answer,
// and its exit status. As in a session, it gets its input after the header: before that, the shell
// might read it.
func (f *repoFixture) answer(script Script, header string, input []byte) (string, int) {
	f.t.Helper()
	cmd := f.shell(script, "022")
	read, write := io.Pipe()
	cmd.Stdin = io.MultiReader(strings.NewReader(script.Text), read)
	var out, errs bytes.Buffer
	started := false
	stream := NewStream("t", func(h Header) {
		started = h.Word == header
		go func() {
			_, _ = write.Write(input)
			write.Close()
		}()
	}, &out)
	cmd.Stdout, cmd.Stderr = stream, &errs
	err := cmd.Start()
	if err == nil {
		done := time.AfterFunc(time.Minute, func() { write.Close() })
		defer done.Stop()
		_ = cmd.Wait()
		read.Close()
	}
	if !started || cmd.ProcessState == nil {
		f.t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	return strings.TrimSuffix(out.String(), "@t end\n"), cmd.ProcessState.ExitCode()
}

// TestStorePathsAreCopiedWithRealNix builds for another host, and moves the result to a second
// store, with a stream that is cut in between. The stores have the same directory, one after the
// other.
func TestStorePathsAreCopiedWithRealNix(t *testing.T) {
	t.Parallel()
	f := newNixFixture(t)
	f.extra[0] = "NIX_STORE_DIR=" + f.home + "/nix/store"
	f.commit(map[string]string{"flake.nix": strings.Replace(
		strings.Replace(flakeText, "DEP", f.home+"/dep", 1), `"/bin/mkdir $out"`, `"/bin/mkdir $out; echo ${builtins.toFile "part" "text"} >$out/part"`, 1)})
	if out, err := f.login("cd author && nix flake lock").CombinedOutput(); err != nil {
		t.Skipf("needs a nix that can lock a flake: %v\n%s", err, out)
	}
	rev := f.commit(nil)

	j := f.job("build", rev)
	j.Serves, j.Managed, j.Repo, j.Remote, j.Builds, j.System = "other", true, "", f.origin, 1, ""
	end, log := f.launch(j, "022")
	if end.Word != "built" || !strings.Contains(log, " fact commit "+rev+"\n") {
		t.Fatalf("the build ended with %+v\n%s", end, log)
	}
	if left, err := filepath.Glob(f.home + "/.local/state/fleetctl/slots/*"); len(left) > 0 || err != nil {
		t.Errorf("slots that are not free: %q", left)
	}
	if _, err := os.Lstat(f.home + "/.local/state/fleetctl/lock"); err == nil {
		t.Error("a build for another host has locked this one")
	}
	text, _ := f.answer(Closure("t", j.ID), "closure", nil)
	closure, err := ParseClosure([]byte(text))
	if err != nil || len(closure) != 2 || !strings.HasSuffix(closure[0].Name, "-part") || closure[1].Bytes == 0 {
		t.Fatalf("the closure is %+v, %v", closure, err)
	}
	names := []byte(closure[0].Name + "\n" + closure[1].Name + "\n")
	stream, exit := f.answer(Export("t"), "exporting", names)
	if exit != 0 {
		t.Fatalf("the export exited with %d", exit)
	}

	f.sh("chmod -R u+w nix var && mv nix nix.builder && mv var var.builder && mkdir -p nix/store")
	missing := func(want ...string) {
		t.Helper()
		text, exit := f.answer(Missing("t", j.ID), "missing", names)
		got, free := ParseMissing([]byte(text))
		set := map[string]bool{}
		for _, name := range want {
			set[name] = true
		}
		if exit != 0 || !reflect.DeepEqual(got, set) || free <= 0 {
			t.Errorf("missing are %v, and %d bytes are free; want %q", got, free, want)
		}
	}
	missing(closure[0].Name, closure[1].Name)
	if _, exit := f.answer(Substitute("t", j.ID, NixArgs{}, time.Minute), "substituting", names); exit != 0 {
		t.Errorf("substituting exited with %d", exit)
	}
	cut := strings.Index(stream, closure[1].Name) // in the second half of the second path
	if _, exit := f.answer(Import("t", "", ImportAsUser, "auto"), "importing", []byte(stream[:cut])); exit != 1 {
		t.Errorf("the import of a part exited with %d", exit)
	}
	missing(closure[1].Name)
	f.sh("mv nix nix.host && mv var var.host && mv nix.builder nix && mv var.builder var")
	stream, _ = f.answer(Export("t"), "exporting", []byte(closure[1].Name+"\n"))
	f.sh("mv nix nix.builder && mv var var.builder && mv nix.host nix && mv var.host var")
	if _, exit := f.answer(Import("t", "", ImportAsUser, "auto"), "importing", []byte(stream)); exit != 0 {
		t.Errorf("the import of the rest exited with %d", exit)
	}
	missing()

	// The job of the host gets the path, and has neither git nor a checkout.
	f.sh("rm -rf c")
	j = f.job("build", rev)
	j.Elsewhere, j.Repo = true, ""
	delivered := make(chan string)
	go func() {
		defer close(delivered)
		for range 600 {
			out, _ := f.shell(Signal("t", j.ID, "path", closure[1].Name), "022").Output()
			if strings.Contains(string(out), "told") {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		delivered <- "the job never took the path"
	}()
	end, log = f.launch(j, "022")
	if problem := <-delivered; problem != "" {
		t.Error(problem)
	}
	if end.Word != "built" || !strings.Contains(log, " fact awaiting path\n") || !strings.Contains(log, "/nix/store/"+closure[1].Name+"\n") {
		t.Errorf("the job ended with %+v\n%s", end, log)
	}
	if root := f.sh("readlink $0", f.home+"/.local/state/fleetctl/jobs/"+j.ID+"/built"); !strings.HasSuffix(root, closure[1].Name) {
		t.Errorf("the GC root is %q", root)
	}
}

func TestParseClosureRejectsOtherText(t *testing.T) {
	const name = "0123456789abcdfghijklmnpqrsvwxyz-x-1.0+b_c?=d"
	paths, err := ParseClosure([]byte(name + " 12\n"))
	if err != nil || len(paths) != 1 || paths[0] != (StorePath{name, 12}) {
		t.Errorf("%+v, %v", paths, err)
	}
	for _, line := range []string{"", "x 1", name, name + " -1", name + " x", "../" + name + " 1", "/nix/store/" + name + " 1", name + "/.. 1", name + "\x1b 1"} {
		if paths, err := ParseClosure([]byte(line + "\n")); err == nil {
			t.Errorf("%q is %+v", line, paths)
		}
	}
}
