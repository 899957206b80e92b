package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// readGo takes a Go file apart into comments, strings and declared names, and checks the form of
// its comments.
func readGo(file string, src []byte) document {
	var d document
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		d.add(1, "parse", err.Error(), "fix the syntax")
		return d
	}
	line := func(p token.Pos) int { return fset.Position(p).Line }

	lines := strings.Split(string(src), "\n")
	generated := ast.IsGenerated(parsed)
	for _, group := range parsed.Comments {
		d.units = append(d.units, unit{comment, line(group.Pos()), commentText(group)})
		for _, c := range group.List {
			for i := line(c.Pos()); i <= line(c.End()) && !generated; i++ {
				d.checkWidth(i, lines[i-1], fset.Position(c.Pos()).Column)
			}
		}
	}

	tags := make(map[*ast.BasicLit]bool) // names on the wire, which stay as they are
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			for _, id := range n.Names {
				d.name(line(id.Pos()), id)
			}
			tags[n.Tag] = true
		case *ast.FuncDecl:
			d.name(line(n.Pos()), n.Name)
		case *ast.TypeSpec:
			d.name(line(n.Pos()), n.Name)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				d.name(line(id.Pos()), id)
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if id, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
					d.name(line(id.Pos()), id)
				}
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING && !tags[n] {
				d.units = append(d.units, unit{literal, line(n.Pos()), stringText(n.Value)})
			}
		}
		return true
	})
	d.checkDocs(parsed, line)
	return d
}

// name adds a declared identifier.
func (d *document) name(line int, id *ast.Ident) {
	d.units = append(d.units, unit{name, line, words(id.Name)})
}

// words splits an identifier or file name into lower-case words.
func words(id string) string {
	var b strings.Builder
	runes := []rune(id)
	for i, r := range runes {
		switch {
		case r == '_' || r == '-' || r == '.':
			b.WriteByte(' ')
			continue
		case i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// commentText returns a comment group without its markers. Directives become empty lines.
func commentText(group *ast.CommentGroup) string {
	var lines []string
	for _, c := range group.List {
		if text, block := strings.CutPrefix(c.Text, "/*"); block {
			lines = append(lines, strings.TrimSuffix(text, "*/"))
			continue
		}
		text := strings.TrimPrefix(c.Text, "//")
		if directive.MatchString(text) {
			text = ""
		}
		lines = append(lines, strings.TrimPrefix(text, " "))
	}
	return strings.Join(lines, "\n")
}

var directive = regexp.MustCompile(`^([a-z0-9]+:[a-z0-9]| ?nolint| ?\+build)`)

// stringText returns the value of a string literal with as many newlines as the literal itself.
func stringText(source string) string {
	if text, raw := strings.CutPrefix(source, "`"); raw {
		return strings.TrimSuffix(text, "`")
	}
	text, err := strconv.Unquote(source)
	if err != nil {
		return source
	}
	return strings.ReplaceAll(text, "\n", " ")
}

// checkDocs checks the doc comments of the package and its functions, methods, types, and of
// variables and constants that are declared alone.
func (d *document) checkDocs(file *ast.File, line func(token.Pos) int) {
	if doc := docText(file.Doc); doc != "" && file.Name.Name != "main" && !strings.HasPrefix(doc, "Package "+file.Name.Name) {
		d.add(line(file.Doc.Pos()), "doc", firstWords(doc), fmt.Sprintf("start with %q", "Package "+file.Name.Name))
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			d.checkDoc(decl.Doc, line, decl.Name)
			d.checkVerb(decl.Doc, line, decl.Name.Name)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				doc := decl.Doc
				if decl.Lparen.IsValid() {
					doc = nil
				}
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Doc != nil {
						doc = spec.Doc
					}
					d.checkDoc(doc, line, spec.Name)
				case *ast.ValueSpec:
					d.checkDoc(doc, line, spec.Names...)
				}
			}
		}
	}
}

// checkDoc reports a doc comment that does not start with one of names.
func (d *document) checkDoc(group *ast.CommentGroup, line func(token.Pos) int, names ...*ast.Ident) {
	doc := docText(group)
	if doc == "" || strings.HasPrefix(doc, "Deprecated: ") {
		return
	}
	fields := strings.Fields(doc)
	if len(fields) > 1 && (fields[0] == "A" || fields[0] == "An" || fields[0] == "The") {
		fields = fields[1:]
	}
	first := strings.TrimRight(fields[0], ",.:;")
	for _, n := range names {
		if first == n.Name || first == n.Name+"'s" || n.Name == "_" {
			return
		}
	}
	d.add(line(group.Pos()), "doc", firstWords(doc), fmt.Sprintf("start with %q", names[0].Name))
}

// notAVerb matches the start of a doc comment that says what a function is. What follows the
// pattern's exceptions is idiomatic: "Foo is like Bar".
var notAVerb = regexp.MustCompile(`^\S+,? (is|are|was|were) (\S+)`)

// checkVerb reports a function's doc comment whose verb is a form of "to be".
func (d *document) checkVerb(group *ast.CommentGroup, line func(token.Pos) int, name string) {
	doc := docText(group)
	match := notAVerb.FindStringSubmatch(doc)
	if match == nil || !strings.HasPrefix(doc, name) {
		return
	}
	switch strings.TrimRight(match[2], ",.:") {
	case "like", "called", "equivalent", "shorthand", "similar", "safe", "used", "run", "invoked", "idempotent":
		return
	}
	if strings.HasPrefix(doc, name+" is the same as") || strings.HasPrefix(doc, name+" is a no-op") {
		return
	}
	d.add(line(group.Pos()), "doc-verb", firstWords(doc), `say what it does: "returns", "reports whether", "sets"`)
}

// docText returns a doc comment's text, without directives, or "" if there is none.
func docText(group *ast.CommentGroup) string {
	if group == nil {
		return ""
	}
	return strings.TrimSpace(group.Text())
}

// firstWords returns the start of a text, to recognize it by.
func firstWords(text string) string {
	fields := strings.Fields(text)
	if len(fields) > 6 {
		return strings.Join(fields[:6], " ") + " ..."
	}
	return strings.Join(fields, " ")
}
