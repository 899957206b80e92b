package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tomlBlock matches a block of TOML in a page.
var tomlBlock = regexp.MustCompile("(?ms)^```toml\n(.*?)^```$")

// configFindings returns the findings in the config.toml examples of a page: the blocks that have a
// key or a table of it. Other blocks are inventories.
func configFindings(page string, text []byte) (blocks int, found []string) {
	config := regexp.MustCompile(`(?m)^(?:theme|refresh|columns|mouse|reduced_motion) =|^\[(?:keys|filters|notifications|commands\.)`)
	for _, block := range tomlBlock.FindAllSubmatch(text, -1) {
		if !config.Match(block[1]) {
			continue
		}
		blocks++
		_, findings := parseConfig(page, block[1])
		for _, finding := range findings {
			found = append(found, finding.Message)
		}
	}
	return blocks, found
}

func TestDocumentedConfigIsValid(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks, found := configFindings(page, text)
		total += blocks
		for _, message := range found {
			t.Errorf("%s: %s", page, message)
		}
	}
	if total == 0 {
		t.Error("no page has an example of config.toml")
	}
	for text, want := range map[string]string{
		"```toml\nthem = \"vivid\"\nmouse = true\n```\n":    `unknown key "them"`,
		"```toml\ntheme = \"vivd\"\n```\n":                  `invalid value "vivd" for theme`,
		"```toml\n[keys]\ndeplyo = \"D\"\n```\n":            "deplyo",
		"```toml\n[notifications]\ncomand = \"x\"\n```\n":   `unknown key "notifications.comand"`,
		"```toml\n[commands.x]\nrun = \"true\"\n```\n":      "",
		"```toml\n[hosts.web]\nkind = \"nothing\"\n```\n\n": "",
	} {
		_, found := configFindings("page.md", []byte(text))
		if got := strings.Join(found, "; "); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
