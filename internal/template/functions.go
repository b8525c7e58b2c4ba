package template

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// substitute evaluates Fn::Sub: a text, or a list of a text and a map.
func (r *resolver) substitute(argument *yaml.Node, depth int) (*yaml.Node, string) {
	text, own := argument.Value, (*yaml.Node)(nil)
	if list := items(argument); len(list) == 2 {
		text, own = list[0].Value, list[1]
	} else if argument.Kind != yaml.ScalarNode {
		return nil, "Fn::Sub"
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			out.WriteString(text)
			return r.compose(out.String())
		}
		out.WriteString(before)
		value, reason := r.placeholder(name, own, depth)
		if reason != "" {
			return nil, reason
		}
		out.WriteString(value)
		if out.Len() > largest {
			return nil, tooLong
		}
		text = after
	}
}

// placeholder returns what stands for ${name} in Fn::Sub.
func (r *resolver) placeholder(name string, own *yaml.Node, depth int) (string, string) {
	if literal, isLiteral := strings.CutPrefix(name, "!"); isLiteral {
		return "${" + literal + "}", ""
	}
	name = strings.TrimSpace(name)
	if value := member(own, name); value != nil {
		return r.text(value, depth)
	}
	call := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!Ref", Value: name}
	if strings.Contains(name, ".") {
		call.Tag = "!GetAtt"
	}
	return r.text(call, depth)
}

func (r *resolver) join(argument *yaml.Node, depth int) (*yaml.Node, string) {
	list := items(argument)
	if len(list) != 2 {
		return nil, "Fn::Join"
	}
	parts, reason := r.texts(list[1], depth)
	if reason != "" {
		return nil, reason
	}
	return r.compose(strings.Join(parts, list[0].Value))
}

func (r *resolver) split(argument *yaml.Node, depth int) (*yaml.Node, string) {
	list := items(argument)
	if len(list) != 2 || list[0].Value == "" {
		return nil, "Fn::Split"
	}
	text, reason := r.text(list[1], depth)
	if reason != "" {
		return nil, reason
	}
	parts := &yaml.Node{Kind: yaml.SequenceNode}
	for part := range strings.SplitSeq(text, list[0].Value) {
		parts.Content = append(parts.Content, scalar(part))
	}
	return parts, ""
}

// pick evaluates Fn::Select.
func (r *resolver) pick(argument *yaml.Node, depth int) (*yaml.Node, string) {
	list := items(argument)
	if len(list) != 2 {
		return nil, "Fn::Select"
	}
	text, reason := r.text(list[0], depth)
	if reason != "" {
		return nil, reason
	}
	from, reason := r.expand(list[1], depth)
	if reason != "" {
		return nil, reason
	}
	index, err := strconv.Atoi(text)
	if err != nil || from == nil || from.Kind != yaml.SequenceNode || index < 0 || index >= len(from.Content) {
		return nil, "Fn::Select"
	}
	return r.expand(from.Content[index], depth)
}

// findInMap evaluates Fn::FindInMap, with the default that it may have.
func (r *resolver) findInMap(argument *yaml.Node, depth int) (*yaml.Node, string) {
	list := items(argument)
	if len(list) < 3 {
		return nil, "Fn::FindInMap"
	}
	var keys []string
	for _, item := range list[:3] {
		key, reason := r.text(item, depth)
		if reason != "" {
			return nil, reason
		}
		keys = append(keys, key)
	}
	node := member(member(r.named("Mappings", keys[0]), keys[1]), keys[2])
	if node == nil && len(list) > 3 {
		return r.expand(member(list[3], "DefaultValue"), depth)
	}
	if node == nil {
		return nil, "Fn::FindInMap, which finds nothing"
	}
	return node, ""
}
