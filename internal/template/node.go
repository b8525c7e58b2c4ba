package template

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// deepest is how many aliases, intrinsic functions or conditions may lie inside
// each other.
const deepest = 32

// What is looked at and made for one function is bounded: a few aliases of each other
// could stand for any number of nodes.
const (
	// most is how many nodes that is, and how many maps a merge brings together.
	most = 20_000
	// mostTexts is how many nodes are looked at for the texts of one value.
	mostTexts = 1_000
	// largest is how many bytes one text has, mostMade all that are put together.
	largest  = 64 << 10
	mostMade = 4 << 20
)

// follow returns what an alias stands for.
func follow(node *yaml.Node) *yaml.Node {
	for range deepest {
		if node == nil || node.Kind != yaml.AliasNode {
			return node
		}
		node = node.Alias
	}
	return nil
}

// pairs yields the keys and values of a map, what a merge key (<<) brings after its
// own. What is no map has none.
func pairs(node *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		visits := 0
		yieldPairs(node, &visits, yield)
	}
}

// yieldPairs yields the pairs of a map, or of each map in a list, and reports whether
// to go on. Maps may merge each other in any number of ways.
func yieldPairs(node *yaml.Node, visits *int, yield func(key, value *yaml.Node) bool) bool {
	node = follow(node)
	if *visits++; node == nil || *visits > most {
		return true
	}
	if node.Kind == yaml.SequenceNode && *visits > 1 {
		for _, item := range node.Content {
			if !yieldPairs(item, visits, yield) {
				return false
			}
		}
	}
	if node.Kind != yaml.MappingNode {
		return true
	}
	var merged []*yaml.Node
	for pair := range slices.Chunk(node.Content, 2) {
		if pair[0].Tag == "!!merge" {
			merged = append(merged, pair[1])
		} else if !yield(pair[0], follow(pair[1])) {
			return false
		}
	}
	for _, from := range merged {
		if !yieldPairs(from, visits, yield) {
			return false
		}
	}
	return true
}

// repetitions returns the keys that stand in their map before, wherever that is.
func repetitions(node *yaml.Node) []*yaml.Node {
	var found []*yaml.Node
	if node.Kind == yaml.MappingNode {
		seen := make(map[string]bool)
		for pair := range slices.Chunk(node.Content, 2) {
			if key := pair[0]; seen[key.Value] {
				found = append(found, key)
			}
			seen[pair[0].Value] = true
		}
	}
	for _, part := range node.Content {
		found = append(found, repetitions(part)...)
	}
	return found
}

// member returns the value of a key, nil if the node is no map or has none.
func member(node *yaml.Node, key string) *yaml.Node {
	for name, value := range pairs(node) {
		if name.Value == key {
			return value
		}
	}
	return nil
}

// items returns the items of a list, none for what is no list.
func items(node *yaml.Node) []*yaml.Node {
	node = follow(node)
	if node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	if len(node.Content) > most {
		return nil // the arguments of a function are few
	}
	list := make([]*yaml.Node, len(node.Content))
	for i, item := range node.Content {
		if list[i] = follow(item); list[i] == nil {
			list[i] = &yaml.Node{}
		}
	}
	return list
}

// scalar returns a node with that text, as if it stood in quotes.
func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: yaml.DoubleQuotedStyle}
}

// textsOf returns the texts in a node one after another, so that what a value is
// made of can be looked at.
func textsOf(node *yaml.Node) string {
	var all strings.Builder
	visits := 0
	var walk func(node *yaml.Node, depth int)
	walk = func(node *yaml.Node, depth int) {
		node = follow(node)
		visits++
		if node == nil || depth > deepest || visits > mostTexts || all.Len() > largest {
			return
		}
		if node.Kind == yaml.ScalarNode {
			all.WriteString(node.Value)
		}
		for _, part := range node.Content {
			walk(part, depth+1)
		}
	}
	walk(node, 0)
	return all.String()
}

// decodeJSON reads JSON into the nodes that YAML would have, with their lines, and
// reports whether it is JSON.
func decodeJSON(data []byte) (*yaml.Node, bool) {
	if !json.Valid(data) { // deep ones too, of which it takes 10,000
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	j := &jsonReader{decoder: decoder, data: data, line: 1}
	root := j.value()
	if _, err := decoder.Token(); err != io.EOF {
		return nil, false
	}
	return &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root}}, true
}

// jsonReader makes nodes of JSON that is valid.
type jsonReader struct {
	decoder *json.Decoder
	data    []byte
	// line is that of the offset up to which lines were counted.
	line   int
	offset int
}

func (j *jsonReader) value() *yaml.Node {
	token, _ := j.decoder.Token()
	end := int(j.decoder.InputOffset())
	j.line += bytes.Count(j.data[j.offset:end], []byte("\n"))
	j.offset = end
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Line: j.line}
	switch token := token.(type) {
	case string:
		node.Value, node.Style = token, yaml.DoubleQuotedStyle
	case json.Number:
		node.Value, node.Tag = token.String(), "!!float"
	case bool:
		node.Value, node.Tag = map[bool]string{false: "false", true: "true"}[token], "!!bool"
	case nil:
		node.Tag = "!!null"
	case json.Delim:
		node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
		if token == '{' {
			node.Kind, node.Tag = yaml.MappingNode, "!!map"
		}
		for j.decoder.More() {
			node.Content = append(node.Content, j.value())
		}
		_, _ = j.decoder.Token() // the closing bracket
	}
	return node
}
