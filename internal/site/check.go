package main

import (
	"errors"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	reference = regexp.MustCompile(`<[a-z]+[^>]* (?:href|src)="([^"]*)"`)
	anchor    = regexp.MustCompile(`<[a-z0-9]+[^>]* id="([^"]*)"`)
)

// check returns an error for each reference in the site to a file or an anchor that does not exist.
func (f files) check() error {
	anchors := make(map[string]map[string]bool)
	for name, text := range f {
		anchors[name] = make(map[string]bool)
		for _, match := range anchor.FindAllSubmatch(text, -1) {
			anchors[name][html.UnescapeString(string(match[1]))] = true
		}
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, match := range reference.FindAllSubmatch(f[name], -1) {
			target := html.UnescapeString(string(match[1]))
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, id, hasID := strings.Cut(target, "#")
			if file == "" {
				file = name
			}
			switch {
			case f[file] == nil:
				errs = append(errs, fmt.Errorf("%s: the link %s leads nowhere", name, target))
			case hasID && !anchors[file][id]:
				errs = append(errs, fmt.Errorf("%s: the link %s names no heading", name, target))
			}
		}
	}
	return errors.Join(errs...)
}
