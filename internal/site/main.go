// Command site makes a static web site of the documentation, and checks its links.
//
// Usage:
//
//	go -C internal/site run . [-root DIRECTORY] -o DIRECTORY
//
// It reads the pages that are listed in [sections] from the repository, and writes one HTML file
// for each, with the pictures and one style sheet. The site needs no script and loads nothing from
// other servers. A link to a page or a heading that does not exist is an error, as is a page in
// docs that is not listed.
//
// It is a module of its own, so that the modules that it needs are not those of fleetctl.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", "../..", "the repository")
	out := flag.String("o", "", "write the site to this directory")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	site, err := build(*root)
	if err == nil {
		err = site.check()
	}
	if err == nil {
		err = site.write(*out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d files in %s\n", len(site), *out)
}
