package remote

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLaunchWaitsForJobOfEarlierLaunch has a launch that was cut off while root was about to start
// its job, and one whose job has started but not said so.
func TestLaunchWaitsForJobOfEarlierLaunch(t *testing.T) {
	for _, name := range []string{"root", "claim"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newRepoFixture(t)
			j := f.job("switch", "")
			dir := ".local/state/fleetctl/jobs/" + j.ID
			for file, text := range map[string]string{"pid": "999999 none\n", "nonce": strings.Repeat("a", 32) + "\n", "log": ""} {
				f.write(dir+"/"+file, text)
			}
			if name == "root" {
				f.write(dir+"/root", filepath.Join(f.home, "none")+"\n")
			} else if err := os.Symlink("job", filepath.Join(f.home, dir, "claim")); err != nil {
				t.Fatal(err)
			}
			cmd := f.shell(j.Launch("t", 0, ""), "022")
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// A launch that has started nothing is removed after two seconds.
			time.Sleep(2500 * time.Millisecond)
			f.write(dir+"/result", "switched -\n")
			f.write(dir+"/began", "")
			if err := cmd.Wait(); err != nil || !strings.HasPrefix(out.String(), "@t following ") {
				t.Errorf("%v\n%s", err, &out)
			}
		})
	}
}

// TestJobThatLaunchGaveUpOnNeverStarts runs job.sh after a later launch has claimed its directory.
func TestJobThatLaunchGaveUpOnNeverStarts(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	j := f.job("pull", f.commit(nil))
	f.launch(j, "022")
	dir := filepath.Join(f.home, ".local/state/fleetctl/jobs", j.ID)
	if claim, err := os.Readlink(filepath.Join(dir, "claim")); err != nil || claim != "job" {
		t.Fatalf("the job claimed %q, %v", claim, err)
	}
	before, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	f.sh("sh $0/job.sh", dir) // a second process of the same job
	after, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("%v\n%s", err, bytes.TrimPrefix(after, before))
	}
}

// TestJobKilledBeforeItsEndMarkerHasOne follows a job that was killed after it wrote its result,
// before it released the host and wrote the end marker.
func TestJobKilledBeforeItsEndMarkerHasOne(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	j := f.job("pull", f.commit(nil))
	end, output := f.launch(j, "022")
	dir := filepath.Join(f.home, ".local/state/fleetctl/jobs", j.ID)
	f.sh(`sed -i '/ end /d' $0/log && ln -s $1 $0/../../lock`, dir, j.ID)
	marker := output[strings.LastIndex(output[:len(output)-1], "\n"):]
	for range 2 {
		again, err := f.shell(Attach("t", j.ID, 0), "022").CombinedOutput()
		if err != nil || !strings.HasSuffix(string(again), marker) || strings.Count(string(again), " end ") != 1 {
			t.Fatalf("%v\n%s\nwant the marker %q", err, again, marker)
		}
	}
	if holder, err := os.Readlink(dir + "/../../lock"); err == nil {
		t.Errorf("%s: the host is still locked by %s", end.Word, holder)
	}
}
