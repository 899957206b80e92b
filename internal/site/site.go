package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// repository is where links to files lead that are not part of the site.
const repository = "https://github.com/markus-barta/nixfleet"

// A section is a part of the navigation.
type section struct {
	Title string
	Pages []*page
}

// A page is a file of the repository and what becomes of it.
type page struct {
	Source string // relative to the root of the repository
	Name   string // in the navigation; by default its heading

	Title       string
	Description string
	Body        template.HTML
	Headings    []heading // of the second level, and of the first after the title
	anchors     map[string]bool
}

type heading struct{ ID, Text string }

// sections returns all pages, in the order of the navigation.
func sections() []section {
	docs := func(names ...string) (pages []*page) {
		for _, name := range names {
			pages = append(pages, &page{Source: "docs/" + name + ".md"})
		}
		return pages
	}
	start := append([]*page{{Source: "README.md", Name: "Overview"}},
		docs("getting-started", "requirements", "comparison", "migration")...)
	trust := append(docs("security"), &page{Source: "SECURITY.md", Name: "Reporting"}, &page{Source: "docs/dependencies.md"})
	project := append(docs("architecture", "performance", "quality"),
		&page{Source: "CONTRIBUTING.md"},
		&page{Source: "packaging/README.md"},
		&page{Source: "CODE_OF_CONDUCT.md"},
		&page{Source: "CHANGELOG.md"})
	return []section{
		{"Start", start},
		{"Use", docs("inventory", "commands", "revisions", "status", "table", "ci", "nix", "options", "macos")},
		{"Fix", docs("troubleshooting", "codes", "debugging")},
		{"Reference", docs("events", "agent-api", "ssh", "limits", "glossary")},
		{"Trust", trust},
		{"Project", project},
	}
}

// outputs returns the name of each page's file in the site.
func outputs(all []section) map[string]string {
	names := make(map[string]string)
	for _, s := range all {
		for _, p := range s.Pages {
			name := strings.ToLower(strings.TrimSuffix(path.Base(p.Source), ".md"))
			switch p.Source {
			case "README.md":
				name = "index"
			case "SECURITY.md":
				name = "reporting"
			case "packaging/README.md":
				name = "packaging"
			}
			names[p.Source] = name + ".html"
		}
	}
	return names
}

//go:embed page.html
var pageTemplate string

//go:embed style.css
var style []byte

// files are the files of the site by their names.
type files map[string][]byte

// build makes the site of a repository.
func build(root string) (files, error) {
	all := sections()
	names := outputs(all)
	site := files{"style.css": style}
	errs := unlisted(root, names)
	for _, s := range all {
		for _, p := range s.Pages {
			text, err := os.ReadFile(filepath.Join(root, p.Source))
			if err != nil {
				return nil, err
			}
			if err := p.render(text, root, names); err != nil {
				errs = append(errs, err)
			}
		}
	}
	layout, err := template.New("page").Funcs(template.FuncMap{
		"file": func(p *page) string { return names[p.Source] },
	}).Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		for _, p := range s.Pages {
			var b bytes.Buffer
			if err := layout.Execute(&b, map[string]any{"Page": p, "Sections": all, "Repository": repository}); err != nil {
				return nil, err
			}
			site[names[p.Source]] = b.Bytes()
		}
	}
	pictures, err := filepath.Glob(filepath.Join(root, "docs/pictures/*"))
	if err != nil {
		return nil, err
	}
	for _, name := range pictures {
		picture, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		site["pictures/"+filepath.Base(name)] = picture
	}
	return site, errors.Join(errs...)
}

// unlisted returns an error for each page in docs that is not part of the site.
func unlisted(root string, names map[string]string) (errs []error) {
	found, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil {
		return []error{err}
	}
	for _, name := range found {
		source := "docs/" + filepath.Base(name)
		if names[source] == "" {
			errs = append(errs, fmt.Errorf("%s is not in the navigation: add it to sections in internal/site/site.go", source))
		}
	}
	return errs
}

// write writes the files of the site to a directory.
func (f files) write(dir string) error {
	for name, text := range f {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
