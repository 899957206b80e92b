package fleet

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated documentation")

func TestCodesAreSortedAndDocumented(t *testing.T) {
	sorted := slices.IsSortedFunc(Codes, func(a, b CodeInfo) int { return strings.Compare(string(a.Code), string(b.Code)) })
	if !sorted {
		t.Error("Codes is not in alphabetical order: Code.Hint would not find all of them")
	}
	for _, in := range Codes {
		if in.Sentence == "" || strings.HasSuffix(in.Sentence, ".") || len(in.Outcomes) == 0 || strings.Contains(in.Hint, " --all") {
			t.Errorf("%+v", in)
		}
		if in.Code.Hint() != in.Hint || in.Code.Sentence() != in.Sentence {
			t.Errorf("%s: the lookup found %q, %q", in.Code, in.Code.Sentence(), in.Code.Hint())
		}
	}
	if hint := Code("from-a-newer-job").Hint(); hint != "" {
		t.Errorf("an unknown code has the hint %q", hint)
	}
}

// reported matches calls of shell functions that end a job or a session with a code.
var reported = regexp.MustCompile(`(?m)(?:^|[ ;{|])(?:fail|refuse|degraded|finish [a-z-]+) ([a-z][a-z-]+)(?:$|[ ;])`)

func TestCodesListsEveryCodeOfScripts(t *testing.T) {
	scripts, err := filepath.Glob("remote/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	functions, err := filepath.Glob("remote/lib/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(scripts, functions...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			for _, m := range reported.FindAllStringSubmatch(line, -1) {
				found++
				// The exceptions answer a signal and never become part of a result.
				if code := Code(m[1]); code.Sentence() == "" && !slices.Contains([]Code{"finished", "old-login", "activating"}, code) {
					t.Errorf("%s reports %q, which is not in Codes: %s", path, code, strings.TrimSpace(line))
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("found only %d codes in the scripts: the pattern does not match them anymore", found)
	}
}

// advice is what docs/codes.md says about the codes without a hint. Their results have hints of
// their own, which know the details, or there is nothing to do on the host.
var advice = map[Code]string{
	"auth":             "follow the hint, which lists the keys that were offered; add one of them to the login user's authorized_keys",
	CodeCancelled:      "nothing; deploy again when the host is to get the configuration",
	"config":           "correct the file and line that the reason names",
	CodeDeadline:       "attach to the run to see whether the step is still running, or cancel it; a longer limit is a key of timeouts in hosts.toml",
	"host-key-changed": "find out why the key changed; only then remove the old key with the command in the hint",
	"host-key-revoked": "do not connect; find out why the key was revoked",
	"host-key-unknown": "compare the fingerprint with the host's own, then accept it in the table or with fleetctl ssh",
	"jump":             "log in to the bastion with ssh, and run the ProxyCommand by hand",
	"local":            "read the reason: usually too many open files, or no network",
	CodeLost:           "attach to the run when the host can be reached again",
	CodeNoEnd:          "read the host's log, then attach to the run to ask the host again",
	"no-key":           "load a key into the ssh-agent with ssh-add, or name one with IdentityFile",
	"no-reboot":        "reboot the host by hand",
	CodeOffline:        "switch the host on, or check its address; offline in hosts.toml says whether it may be away",
	CodeProtocol:       "check what the host prints when the login user logs in; use the same version of fleetctl to attach as to deploy",
	CodeRefused:        "log in with fleetctl ssh to see the whole message",
	CodeRollback:       "read the reason, then roll the host back or deploy to it",
	"session":          "check MaxSessions in the host's sshd_config, and the login user's shell",
	"stopped":          "deploy again",
	"unreadable":       "make the directory of fleetctl in the login user's home readable to that user",
	CodeVanished:       "check what the host runs with fleetctl status, then deploy again",
}

func TestEveryCodeHasSomethingToDo(t *testing.T) {
	for _, in := range Codes {
		if in.Hint == "" && advice[in.Code] == "" {
			t.Errorf("%s has no hint: say in advice what to do about it", in.Code)
		}
	}
	for code := range advice {
		if code.Sentence() == "" {
			t.Errorf("advice has a code that does not exist: %s", code)
		}
	}
}

// TestCodesPageIsGenerated compares docs/codes.md with the table; with -update it writes the page.
func TestCodesPageIsGenerated(t *testing.T) {
	const page = "../docs/codes.md"
	var b strings.Builder
	b.WriteString("# Result codes\n\n" +
		"Every host's part of a run ends with an outcome and, unless it ended well, a code that says why: `code` in\n" +
		"[events](events.md), in `fleetctl history --output json` and in reports. The reason next to it has the details.\n\n" +
		"This page is generated from the table in `fleet/codes.go`: `go test ./fleet -run Codes -update`.\n\n" +
		"| code | outcome | meaning | what to do |\n|---|---|---|---|\n")
	for _, in := range Codes {
		var outcomes []string
		for _, o := range in.Outcomes {
			outcomes = append(outcomes, "`"+string(o)+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", in.Code, strings.Join(outcomes, ", "), in.Sentence, cmp.Or(in.Hint, advice[in.Code]))
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text, err := os.ReadFile(page); err != nil || string(text) != b.String() {
		t.Errorf("%s does not match the table (%v): go test ./fleet -run Codes -update", page, err)
	}
}
