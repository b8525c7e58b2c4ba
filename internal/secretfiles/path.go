package secretfiles

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxPath leaves room for the directory within Linux's 4,096 bytes.
	maxPath    = 1024
	maxElement = 255
)

// CheckPath reports why a path cannot be that of a File: it must be relative,
// without empty, "." or ".." elements, and without what is no text or looks
// like an escape. An element has at most 255 bytes, a path 1,024. The names that
// this package needs for itself begin with a dot, so the first element must not;
// no element begins with two.
func CheckPath(path string) error {
	if err := checkPath(path); err != nil {
		return fmt.Errorf("file %q: %w", path, err)
	}
	return nil
}

func checkPath(path string) error {
	switch {
	case path == "":
		return errors.New("the path is empty")
	case len(path) > maxPath:
		return fmt.Errorf("the path is longer than %d bytes", maxPath)
	case path[0] == '/':
		return errors.New("the path is absolute")
	case path[0] == '.':
		return errors.New("the path begins with a dot")
	case !utf8.ValidString(path):
		return errors.New("the path is not UTF-8")
	case strings.ContainsFunc(path, unicode.IsControl):
		return errors.New("the path holds a control character")
	case strings.Contains(path, "%"):
		return errors.New("the path holds a percent sign")
	}
	for element := range strings.SplitSeq(path, "/") {
		if err := checkElement(element); err != nil {
			return err
		}
	}
	return nil
}

func checkElement(element string) error {
	switch {
	case element == "":
		return errors.New("the path has an empty element")
	case element == ".":
		return errors.New(`the path has a "." element`)
	case strings.HasPrefix(element, ".."):
		return errors.New("an element of the path begins with two dots")
	case len(element) > maxElement:
		return fmt.Errorf("an element of the path is longer than %d bytes", maxElement)
	}
	return nil
}
