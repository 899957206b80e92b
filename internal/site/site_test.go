package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSiteOfThisRepositoryHasAllPagesAndNoDeadLinks(t *testing.T) {
	site, err := build("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := site.check(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"index.html":        `<img src="pictures/demo.svg"`,
		"inventory.html":    `<a href="inventory.html" aria-current="page">`,
		"architecture.html": `<svg class="chart"`,
		"reporting.html":    `<a href="security.html">`,
		"comparison.html":   `<div class="wide"><table>`,
	} {
		if !strings.Contains(string(site[name]), want) {
			t.Errorf("%s lacks %s", name, want)
		}
	}
	for name, text := range site {
		if strings.HasSuffix(name, ".html") && (strings.Contains(string(text), "<script") || strings.Contains(string(text), `src="http`)) {
			t.Errorf("%s has a script, or loads something from another server", name)
		}
	}
}

// repositoryWith returns a copy of this repository's pages in which one page has other text.
func repositoryWith(t *testing.T, page, text string) string {
	t.Helper()
	root := t.TempDir()
	for _, s := range sections() {
		for _, p := range s.Pages {
			if err := os.MkdirAll(filepath.Join(root, filepath.Dir(p.Source)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, p.Source), []byte("# Title\n\n## A heading\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(root, page), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestWrongPagesAreErrors(t *testing.T) {
	for text, want := range map[string]string{
		"# T\n\n[x](nowhere.md)\n":                     "docs/ssh.md: the link nowhere.md leads nowhere",
		"# T\n\n[x](../../elsewhere)\n":                "docs/ssh.md: the link ../../elsewhere leads nowhere",
		"# T\n\n[x](limits.md#no-such)\n":              "ssh.html: the link limits.html#no-such names no heading",
		"# T\n\n[x](#no-such)\n":                       "ssh.html: the link #no-such names no heading",
		"# T\n\n![x](pictures/none.svg)\n":             "ssh.html: the link pictures/none.svg leads nowhere",
		"no heading\n":                                 "docs/ssh.md: there is no heading of the first level",
		"# T\n\n```mermaid\nflowchart TB\n```\n":       `only "flowchart LR" can be drawn`,
		"# T\n\n```mermaid\nflowchart LR\na ~~ b\n```": `cannot draw the line "a ~~ b"`,
		"# T\n\n[x](limits.md#a-heading) [y](../README.md) [z](https://example.com) [s](../docs)\n": "",
	} {
		site, err := build(repositoryWith(t, "docs/ssh.md", text))
		if err == nil {
			err = site.check()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestPageOutsideOfNavigationIsAnError(t *testing.T) {
	_, err := build(repositoryWith(t, "docs/new.md", "# New\n"))
	if err == nil || !strings.Contains(err.Error(), "docs/new.md is not in the navigation") {
		t.Errorf("got %v", err)
	}
}

func TestHeadingsGetTheAnchorsOfGitHub(t *testing.T) {
	i := &ids{used: map[string]bool{}}
	for _, tt := range [][2]string{
		{"Try it on real hosts: the lab", "try-it-on-real-hosts-the-lab"},
		{"`[hosts.NAME]`", "hostsname"},
		{"`GET /v1/health`", "get-v1health"},
		{"Twice", "twice"},
		{"Twice", "twice-1"},
		{"Größe_x", "größe_x"},
	} {
		if got := string(i.Generate([]byte(tt[0]), 0)); got != tt[1] {
			t.Errorf("%q: got %q, want %q", tt[0], got, tt[1])
		}
	}
}

func TestFlagsInCodeDoNotBreak(t *testing.T) {
	long := "a-path/that-is/longer-than/a-line-of-a-phone"
	for body, want := range map[string]string{
		"<code>exec --all</code>":            "<code>exec <span>--all</span></code>",
		"<code>status</code>":                "<code>status</code>",
		"<code>" + long + "</code>":          "<code>" + long + "</code>",
		"<pre><code>exec --all</code></pre>": "<pre><code>exec --all</code></pre>",
	} {
		if got := keepWords(body); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

// TestChartHasItsNodesInOrder lays out a chart in which one node has slack.
func TestChartHasItsNodesInOrder(t *testing.T) {
	c, err := parseChart("flowchart LR\n  a --> b[B<br>two lines] -->|label| c\n  late --> c\n  c <--> d\n")
	if err != nil {
		t.Fatal(err)
	}
	c.layOut()
	for id, rank := range map[string]int{"a": 0, "b": 1, "late": 1, "c": 2, "d": 3} {
		if c.nodes[id].rank != rank {
			t.Errorf("%s is in column %d, want %d", id, c.nodes[id].rank, rank)
		}
	}
	for i, n := range c.order {
		for _, m := range c.order[:i] {
			if n.rank == m.rank && n.y < m.y+m.height && m.y < n.y+n.height {
				t.Errorf("%s and %s overlap", n.id, m.id)
			}
		}
	}
	if svg := c.svg(); !strings.Contains(svg, ">two lines</text>") || !strings.Contains(svg, ">label</text>") || strings.Count(svg, `marker-start=`) != 1 {
		t.Errorf("the picture is\n%s", svg)
	}
}
