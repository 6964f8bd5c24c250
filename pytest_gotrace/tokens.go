// Command tokens prints one line for each Go file of a list: a digest of its tokens, or nothing where it has a fault.
//
// The list is a file of names with a zero byte after each. Two files with one digest differ in nothing but comments,
// blank lines and formatting. What a comment says to the toolchain is kept: that is code.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"regexp"
)

// What the compiler, the linker, cgo and `go test` read in comments: directives (`//go:embed`, `//line`, `//export`),
// old build constraints, and the mark of an example that is to be run.
var directive = regexp.MustCompile(
	`^(//(line |extern |export |[a-z0-9]+:[a-z0-9])|/\*line |//[ \t]*\+build\b|(?i)/[/*]\s*(unordered )?output:)`)

func main() {
	list, err := os.ReadFile(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, name := range bytes.Split(bytes.TrimSuffix(list, []byte{0}), []byte{0}) {
		fmt.Fprintln(out, digest(string(name)))
	}
}

func digest(name string) string {
	source, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	faults := 0
	file := token.NewFileSet().AddFile(name, -1, len(source))
	var stream scanner.Scanner
	stream.Init(file, source, func(token.Position, string) { faults++ }, scanner.ScanComments)
	sum := sha256.New()
	for {
		at, kind, text := stream.Scan()
		switch {
		case kind == token.EOF && faults > 0:
			return ""
		case kind == token.EOF:
			return fmt.Sprintf("%x", sum.Sum(nil))
		case kind == token.SEMICOLON:
			text = "" // written or put there for the end of a line, it is one token
		case kind == token.COMMENT && !directive.MatchString(text):
			continue
		case kind == token.COMMENT:
			// A directive means something else, or nothing, where it does not begin its line.
			text += place(source, file.Offset(at))
		}
		fmt.Fprintf(sum, "%d %d %s\n", kind, len(text), text)
	}
}

// place tells a comment in the first column from one after blanks, and from one after code.
func place(source []byte, offset int) string {
	before := source[bytes.LastIndexByte(source[:offset], '\n')+1 : offset]
	switch {
	case len(before) == 0:
		return " first"
	case len(bytes.TrimSpace(before)) == 0:
		return " indented"
	}
	return " behind"
}
