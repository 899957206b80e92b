package main

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))

// render sets everything of the page that comes from its text. names are the files of all pages.
func (p *page) render(source []byte, root string, names map[string]string) error {
	p.anchors = make(map[string]bool)
	doc := markdown.Parser().Parse(text.NewReader(source), parser.WithContext(parser.NewContext(parser.WithIDs(&ids{p.anchors}))))
	var errs []error
	report := func(err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.Source, err))
		}
	}
	var charts []*ast.FencedCodeBlock
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.addHeading(n, source)
		case *ast.Paragraph:
			if p.Description == "" {
				p.Description = plain(n, source)
			}
		case *ast.Link:
			target, err := resolve(p.Source, string(n.Destination), root, names)
			n.Destination = []byte(target)
			report(err)
		case *ast.Image:
			target, err := resolve(p.Source, string(n.Destination), root, names)
			n.Destination = []byte(target)
			report(err)
		case *ast.FencedCodeBlock:
			if string(n.Language(source)) == "mermaid" {
				charts = append(charts, n)
			}
		}
		return ast.WalkContinue, nil
	})
	report(err)
	for _, block := range charts {
		svg, err := flowchart(string(block.Lines().Value(source)))
		report(err)
		raw := ast.NewString([]byte(`<div class="wide">` + svg + `</div>`))
		raw.SetCode(true) // it is written as it is
		holder := ast.NewTextBlock()
		holder.AppendChild(holder, raw)
		block.Parent().ReplaceChild(block.Parent(), block, holder)
	}
	var b bytes.Buffer
	report(markdown.Renderer().Render(&b, source, doc))
	// On a narrow screen only the table scrolls, not the page.
	body := strings.NewReplacer("<table>", `<div class="wide"><table>`, "</table>", "</table></div>").Replace(b.String())
	p.Body = template.HTML(keepWords(body))
	if p.Title == "" {
		report(errors.New("there is no heading of the first level"))
	}
	if p.Name == "" {
		p.Name = p.Title
	}
	return errors.Join(errs...)
}

var codeSpan = regexp.MustCompile(`(<pre>)?<code>([^<]*)</code>`)

// keepWords marks the words with hyphens in inline code, so that no line breaks inside of a flag.
// Long ones, such as paths, may break.
func keepWords(body string) string {
	return codeSpan.ReplaceAllStringFunc(body, func(span string) string {
		match := codeSpan.FindStringSubmatch(span)
		if match[1] != "" {
			return span
		}
		words := strings.Split(match[2], " ")
		for i, word := range words {
			if strings.Contains(word, "-") && len(word) <= 28 {
				words[i] = "<span>" + word + "</span>"
			}
		}
		return "<code>" + strings.Join(words, " ") + "</code>"
	})
}

func (p *page) addHeading(n *ast.Heading, source []byte) {
	id, _ := n.AttributeString("id")
	anchor, _ := id.([]byte)
	switch {
	case n.Level == 1 && p.Title == "":
		p.Title = plain(n, source)
	case n.Level <= 2:
		p.Headings = append(p.Headings, heading{string(anchor), plain(n, source)})
	}
}

// plain returns the text of a node without its markup.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Value(source))
			if c.SoftLineBreak() {
				b.WriteByte(' ')
			}
		default:
			b.WriteString(plain(c, source))
		}
	}
	return b.String()
}

// resolve returns what a link in a page becomes: the file of another page, a picture, or a file in
// the repository.
func resolve(source, target, root string, names map[string]string) (string, error) {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") || strings.HasPrefix(target, "#") {
		return target, nil
	}
	file, anchor, hasAnchor := strings.Cut(target, "#")
	file = path.Join(path.Dir(source), file)
	if name := names[file]; name != "" {
		if hasAnchor {
			name += "#" + anchor
		}
		return name, nil
	}
	if picture, ok := strings.CutPrefix(file, "docs/pictures/"); ok {
		return "pictures/" + picture, nil
	}
	info, err := os.Stat(filepath.Join(root, file))
	switch {
	case err != nil || strings.HasPrefix(file, ".."):
		return target, fmt.Errorf("the link %s leads nowhere", target)
	case info.IsDir():
		return repository + "/tree/main/" + file, nil
	}
	return repository + "/blob/main/" + file, nil
}

// ids makes the anchors of headings as GitHub does. It implements [parser.IDs].
type ids struct{ used map[string]bool }

func (i *ids) Generate(value []byte, _ ast.NodeKind) []byte {
	id := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.TrimSpace(string(value)))
	unique := id
	for n := 1; i.used[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", id, n)
	}
	i.used[unique] = true
	return []byte(unique)
}

func (i *ids) Put(value []byte) { i.used[string(value)] = true }
