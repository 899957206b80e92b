package remote

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// nixCaches starts a binary cache, and returns its URL and one that refuses connections.
func nixCaches(t *testing.T) (answering, refusing string) {
	t.Helper()
	good, gone := httptest.NewServer(http.NotFoundHandler()), httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(good.Close)
	gone.Close()
	return good.URL, gone.URL
}

// setSubstituters sets the substituters in the nix.conf of the host. Nix does not retry.
func (f *nixFixture) setSubstituters(urls ...string) {
	last := len(f.extra) - 1
	f.extra[last] = strings.Replace(f.extra[last], "substituters =", "download-attempts = 1\nsubstituters = "+strings.Join(urls, " "), 1)
}

// TestSubstituterThatDoesNotAnswerIsLeftOut has caches in the host's nix.conf and in nix_options.
func TestSubstituterThatDoesNotAnswerIsLeftOut(t *testing.T) {
	t.Parallel()
	f := newNixFixture(t)
	rev := f.push("", true)
	answering, refusing := nixCaches(t)
	_, other := nixCaches(t)
	f.setSubstituters(answering, refusing)
	nix := NixArgs{Options: []string{"extra-substituters " + other}}
	want := []string{
		"the substituter " + refusing + " does not answer; this run builds without it",
		"the substituter " + other + " does not answer; this run builds without it",
	}
	preview := f.preview(PreviewRequest{Checkout: Checkout{Repo: "~/c"}, Rev: rev, Nix: nix}, false)
	if !slices.Equal(preview.Warnings, want) || preview.Code != "" {
		t.Errorf("plan warns %q, want %q: %+v", preview.Warnings, want, preview)
	}
	j := f.job("build", rev)
	j.Nix = nix
	end, out := f.launch(j, "022")
	var warned []string
	for _, m := range regexp.MustCompile(`warn code=substituter url=(\S+) left=(\S+)`).FindAllStringSubmatch(out, -1) {
		warned = append(warned, m[1], m[2])
	}
	if end.Word != "built" || !slices.Equal(warned, []string{refusing, answering, other, answering}) {
		t.Errorf("the job ended with %+v and warns of %q\n%s", end, warned, out)
	}
}

// TestHangingSubstituterIsSilent feeds the output of probes to the script that judges it.
func TestHangingSubstituterIsSilent(t *testing.T) {
	const asked = `@nix {"action":"start","text":"downloading 'http://a/x.narinfo'","type":101}` + "\n"
	f := newHomeFixture(t)
	script := composeText("# uses: substituters\nmain() { if is_silent \"$1\"; then echo silent; fi; }\n", "")
	// Nix 2.26 has colors even in JSON.
	for output, want := range map[string]string{
		asked + "exit 0":   "",
		asked + "exit 124": "silent",
		"exit 124":         "", // the machine is slow: nothing was asked
		asked + "unable to download 'http://a': HTTP error 502; retrying in 250 ms\nexit 124":                                                                       "",
		asked + "unable to download 'http://a': HTTP error 502\nexit 1":                                                                                             "",
		asked + "unable to download 'http://a': Couldn't connect to server (7); retrying in 9 ms\nexit 0":                                                           "",
		asked + "unable to download 'http://a': Couldn't connect to server (7); retrying in 9 ms\nexit 124":                                                         "silent",
		asked + "unable to download 'http://a': Timeout was reached (28)\nexit 1":                                                                                   "silent",
		`@nix {"msg":"unable to \u001b[35;1mdownload\u001b[0m '\u001b[35;1mhttp://a\u001b[0m': \u001b[35;1mCould not connect to server\u001b[0m (7)"}` + "\nexit 0": "silent",
		"error: cannot connect to socket at '/nix/var/nix/daemon-socket/socket': Connection refused\nexit 1":                                                        "",
	} {
		f.write("probe", output+"\n")
		out, err := f.shell(Script{Text: script.text, Args: []string{"probe"}}, "022").CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("got %q, %v, want %q for\n%s", got, err, want, output)
		}
	}
}

// TestBuildWithoutSubstituters checks that a build that has lost all of them says so and continues.
func TestBuildWithoutSubstituters(t *testing.T) {
	t.Parallel()
	f := newNixFixture(t)
	_, refusing := nixCaches(t)
	rev := f.push("", true)
	f.setSubstituters(refusing)
	end, out := f.launch(f.job("build", rev), "022")
	if end.Word != "built" || !strings.Contains(out, "warn code=substituter url="+refusing+" left=\n") {
		t.Errorf("the job ended with %+v\n%s", end, out)
	}
}

// TestBuildArgsApplyToBuildAndPreview overrides an input, with a relative path, and evaluates
// impurely.
func TestBuildArgsApplyToBuildAndPreview(t *testing.T) {
	t.Parallel()
	f := newNixFixture(t)
	for _, locked := range []bool{false, true} {
		rev := f.push("", locked)
		f.write("c/other/flake.nix", `{ outputs = _: { name = builtins.getEnv "NAME_OF_TEST"; }; }`)
		f.extra = append(f.extra, "NAME_OF_TEST=two")
		nix := NixArgs{Options: []string{"warn-dirty false", "builders "}, Words: []string{"--override-input", "dep", "path:./other", "--impure"}}
		preview := f.preview(PreviewRequest{Checkout: Checkout{Repo: "~/c"}, Rev: rev, Nix: nix}, true)
		j := f.job("build", rev)
		j.Nix = nix
		end, out := f.launch(j, "022")
		if !locked {
			if end.Code != "unlocked" || preview.Code != "unlocked" {
				t.Errorf("without a lock the job ended with %+v, the preview is %+v\n%s", end, preview, out)
			}
			continue
		}
		built := regexp.MustCompile(`fact built (.*)`).FindStringSubmatch(out)
		if end.Word != "built" || built == nil || !strings.HasSuffix(built[1], "-two") || built[1] != preview.Built {
			t.Errorf("the job ended with %+v, the preview is %+v\n%s", end, preview, out)
		}
	}
}
