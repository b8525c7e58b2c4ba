package manifest

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"secretwrap/internal/suggest"
	"secretwrap/internal/yamlfile"
)

// The keys of a manifest.
const (
	envKey     = "env"
	envFromKey = "env_from"
	filesKey   = "files"
)

// manifest reads the documents of a file, of which there may be one.
func (p *parser) manifest(documents []*yaml.Node) Manifest {
	m := Manifest{Source: p.source}
	if len(documents) > 0 {
		p.sections(documents[0].Content[0], &m)
	}
	if len(documents) > 1 {
		p.report(documents[1].Line, "", yamlfile.SecondDocument, yamlfile.SecondDocumentHint)
	}
	if len(p.problems) == 0 && len(m.Env)+len(m.EnvFrom)+len(m.Files) == 0 {
		p.report(1, "", "file declares nothing", emptyHint)
	}
	return m
}

func (p *parser) sections(root *yaml.Node, m *Manifest) {
	if cause, hint := decoration(root); cause != "" {
		p.report(root.Line, "", "file "+cause, hint)
		return
	}
	if isNull(root) {
		return
	}
	if root.Kind != yaml.MappingNode {
		p.report(root.Line, "", "file is "+kind(root)+", want a map", shapeHint)
		return
	}
	for section := range p.pairs(root, false) {
		before := len(p.problems)
		switch section.key.Value {
		case envKey:
			m.Env = append(m.Env, p.entries(section)...)
			m.BadVariables = m.BadVariables || len(p.problems) > before
		case envFromKey:
			m.EnvFrom = append(m.EnvFrom, p.items(section)...)
			m.BadVariables = m.BadVariables || len(p.problems) > before
		case filesKey:
			m.Files = append(m.Files, p.entries(section)...)
		default:
			p.reportPair(section, "is unknown", unknownHint(section.key.Value))
		}
	}
}

func unknownHint(key string) string {
	if known, found := suggest.Nearest(key, []string{envKey, envFromKey, filesKey}); found {
		return fmt.Sprintf("did you mean %s?", known)
	}
	return "the keys are env, env_from and files; indent variables below env"
}

// entries returns the declarations of a section that is a map.
func (p *parser) entries(section pair) []Entry {
	if !p.isKind(section, yaml.MappingNode, `want a map, with lines like NAME: "prod/db#password"`) {
		return nil
	}
	var entries []Entry
	for entry := range p.pairs(section.value, true) {
		text, ok := p.text(entry)
		if ok && !entry.repeated {
			entries = append(entries, Entry{Name: entry.key.Value, Text: text, Line: entry.key.Line})
		}
	}
	return entries
}

// items returns the declarations of a section that is a list.
func (p *parser) items(section pair) []Entry {
	if !p.isKind(section, yaml.SequenceNode, `want a list, with lines like - "prod/app"`) {
		return nil
	}
	var entries []Entry
	for _, item := range section.value.Content {
		if text, ok := p.text(pair{value: item}); ok {
			entries = append(entries, Entry{Text: text, Line: item.Line})
		}
	}
	return entries
}

// isKind reports whether a section has entries and is of the kind that holds
// them. One that has only its key is allowed and empty.
func (p *parser) isKind(section pair, want yaml.Kind, hint string) bool {
	if cause, advice := decoration(section.value); cause != "" {
		p.reportPair(section, cause, advice)
		return false
	}
	if isNull(section.value) {
		return false
	}
	if section.value.Kind != want {
		p.reportPair(section, "is "+kind(section.value), hint)
		return false
	}
	return true
}

// pair is a key with its value.
type pair struct {
	// key is nil for an item of a list.
	key, value *yaml.Node
	// entry tells a declaration from a section.
	entry bool
	// repeated is set if the key stands further up already.
	repeated bool
}

// line returns where the pair begins.
func (p pair) line() int {
	if p.key != nil {
		return p.key.Line
	}
	return p.value.Line
}

// pairs yields the pairs of a map whose keys can be keys.
func (p *parser) pairs(mapping *yaml.Node, entries bool) iter.Seq[pair] {
	return func(yield func(pair) bool) {
		firstLine := make(map[string]int)
		for content := range slices.Chunk(mapping.Content, 2) {
			next := pair{key: content[0], value: content[1], entry: entries}
			if cause, hint := keyProblem(next.key); cause != "" {
				p.report(next.key.Line, "", cause, hint)
				continue
			}
			p.noteRepetition(&next, firstLine)
			if !yield(next) {
				return
			}
		}
	}
}

// noteRepetition marks a pair whose key stands further up already.
func (p *parser) noteRepetition(at *pair, firstLine map[string]int) {
	key := at.key.Value
	first, repeated := firstLine[key]
	if !repeated {
		firstLine[key] = at.key.Line
		return
	}
	at.repeated = true
	p.reportPair(*at, fmt.Sprintf("is given twice, first in line %d", first), "keep one of them")
}

func keyProblem(key *yaml.Node) (cause, hint string) {
	if cause, hint = decoration(key); cause != "" {
		return "a key " + cause, hint
	}
	switch {
	case key.Kind != yaml.ScalarNode:
		return "a key is " + kind(key), "quote a key that begins with a bracket or a brace"
	case key.Tag == "!!merge":
		return "merge keys (<<) are not supported", "write every entry out"
	case key.Value == "":
		return "a key is empty", `write NAME: "prod/db#password"`
	case strings.ContainsFunc(key.Value, isUnprintable):
		return fmt.Sprintf("key %s holds a character that cannot be printed", quoted(key.Value)), "remove the character"
	}
	return "", ""
}

func isUnprintable(r rune) bool { return !strconv.IsPrint(r) }

// reportPair adds a problem of a pair. A section is no variable or file, so it
// is named in the cause.
func (p *parser) reportPair(at pair, cause, hint string) {
	name := ""
	switch {
	case at.entry:
		name = at.key.Value
	case at.key != nil:
		cause = fmt.Sprintf("key %s %s", quoted(at.key.Value), cause)
	}
	p.report(at.line(), name, cause, hint)
}
