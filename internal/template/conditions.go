package template

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// choose evaluates Fn::If.
func (r *resolver) choose(argument *yaml.Node, depth int) (*yaml.Node, string) {
	list := items(argument)
	if len(list) != 3 {
		return nil, "Fn::If"
	}
	holds, reason := r.condition(list[0].Value, depth)
	switch {
	case reason != "":
		return nil, reason
	case holds:
		return r.expand(list[1], depth)
	}
	return r.expand(list[2], depth)
}

// condition evaluates a condition by its name.
func (r *resolver) condition(name string, depth int) (bool, string) {
	node := r.named("Conditions", name)
	if node == nil {
		return false, "the condition " + name + ", which is not there"
	}
	return r.holds(node, depth)
}

// holds evaluates what a condition is made of.
func (r *resolver) holds(node *yaml.Node, depth int) (bool, string) {
	node = follow(node)
	if r.visits++; depth > deepest || r.visits > most || node == nil {
		return false, "a condition that depends on itself, or on too much"
	}
	name, argument := intrinsic(node)
	depth++
	switch name {
	case "Condition":
		return r.condition(argument.Value, depth)
	case "Fn::Equals":
		sides, reason := r.texts(argument, depth)
		return reason == "" && len(sides) == 2 && sides[0] == sides[1], reason
	case "Fn::Not", "Fn::And", "Fn::Or":
		return r.combine(name, items(argument), depth)
	}
	return false, "a condition of another form"
}

// combine evaluates Fn::Not, Fn::And and Fn::Or.
func (r *resolver) combine(name string, parts []*yaml.Node, depth int) (bool, string) {
	var results []bool
	for _, part := range parts {
		holds, reason := r.holds(part, depth)
		if reason != "" {
			return false, reason
		}
		results = append(results, holds)
	}
	switch name {
	case "Fn::Not":
		return !slices.Contains(results, true), ""
	case "Fn::And":
		return !slices.Contains(results, false), ""
	}
	return slices.Contains(results, true), ""
}
