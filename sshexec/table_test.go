package sshexec

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the generated parts of docs/ssh.md")

func TestEveryKeywordOfOpenSSHIsInTheTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/keywords")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for name := range strings.Lines(string(text)) {
		if name = strings.TrimSpace(name); strings.HasPrefix(name, "#") {
			continue
		}
		count++
		if lookupKeyword(name) == nil {
			t.Errorf("the keyword %q is not in the table", name)
		}
	}
	if count < 100 {
		t.Errorf("read %d keywords", count)
	}
}

func TestEveryKeywordThatTheInstalledSSHPrintsIsInTheTable(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	out, err := exec.Command("ssh", "-G", "-F", "none", "localhost").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if lookupKeyword(strings.ToLower(name)) == nil {
			t.Errorf("the keyword %q is not in the table", name)
		}
	}
}

func TestKeywordTableIsComplete(t *testing.T) {
	t.Parallel()
	if len(keywordTable) != len(keywords) {
		t.Errorf("%d rows have %d names", len(keywords), len(keywordTable))
	}
	for _, k := range keywords {
		name := strings.ToLower(k.name)
		if (k.treatment == refused) != (k.refuses != nil) {
			t.Errorf("%s: refused keywords, and only those, say which values they refuse", k.name)
		}
		if (k.treatment == refused || k.treatment == harmless) && k.note == "" {
			t.Errorf("%s: no reason", k.name)
		}
		if k.valid == nil && !slices.Contains([]string{"host", "match", "include"}, name) {
			t.Errorf("%s: no check of its arguments", k.name)
		}
		if k.note != "" && !strings.HasSuffix(k.note, ".") {
			t.Errorf("%s: the note is not a sentence: %s", k.name, k.note)
		}
	}
	for alias, name := range keywordAliases {
		if keywordTable[name] == nil || keywordTable[alias] != nil {
			t.Errorf("the alias %s of %s", alias, name)
		}
	}
}

func TestRefusedKeywordsNameLineAndReason(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"BindInterface": "eth0", "KnownHostsCommand": "/bin/echo %H",
		"ProxyUseFdpass": "yes", "RefuseConnection": `"under repair"`, "RevokedHostKeys": "/etc/ssh/revoked",
	}
	for _, k := range keywords {
		if k.treatment != refused {
			continue
		}
		home := newTestHome(t)
		home.write("config", "Host web\n  %s %s\n", k.name, values[k.name])
		home.ConfigFile = home.path("config")
		p := home.pool()
		_, err := p.Resolve(home.ctx(), Target{Name: "web"})
		wantError(t, err, KindConfig, "web: config: "+home.path("config")+":2: ", k.name)
		if _, err := p.Resolve(home.ctx(), Target{Name: "db"}); err != nil {
			t.Errorf("%s: another host: %v", k.name, err)
		}
	}
}

func TestDocumentationListsEveryKeyword(t *testing.T) {
	t.Parallel()
	const page = "../docs/ssh.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const start, end = "<!-- keywords -->\n", "<!-- end -->"
	before, rest, ok := strings.Cut(string(text), start)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no %q and %q", page, start, end)
	}
	var b strings.Builder
	b.WriteString("\n| keyword | treatment | remarks |\n|---|---|---|\n")
	for _, k := range keywords {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.name, k.treatment, k.note)
	}
	b.WriteString("\n")
	want := before + start + b.String() + end + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: go test ./sshexec -run TestDocumentation -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
