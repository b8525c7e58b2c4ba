package template

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"secretwrap/internal/arn"
)

// resolver evaluates intrinsic functions as far as a template tells their result.
// What it cannot tell it names, as words that complete "depends on …".
type resolver struct {
	root    *yaml.Node
	options Options
	// defaults are the parameters whose defaults were used, asked the names of values
	// that would have been used if they were given.
	defaults, asked map[string]bool
	// missing is the name whose value would have helped, made are the names of
	// secrets that the template makes.
	missing string
	made    map[string]bool
	// visits is how many nodes were looked at for the value under way.
	visits int
}

// noValue is the tag of what AWS::NoValue stands for: nothing.
const noValue = "!novalue"

func isNoValue(node *yaml.Node) bool { return node.Tag == noValue }

// at returns what stands at a path of maps, nil if nothing does.
func (r *resolver) at(node *yaml.Node, path ...string) (*yaml.Node, string) {
	r.visits, r.missing = 0, ""
	node, reason := r.expand(node, 0)
	for _, key := range path {
		if reason != "" || node == nil {
			return nil, reason
		}
		node, reason = r.expand(member(node, key), 0)
	}
	return node, reason
}

// intrinsic returns the function that a node calls, by its long name, and its
// argument; no name if it calls none.
func intrinsic(node *yaml.Node) (name string, argument *yaml.Node) {
	if short, isTag := strings.CutPrefix(node.Tag, "!"); isTag && short != "" && short[0] != '!' && node.Tag != noValue {
		plain := *node
		plain.Tag = ""
		return longName(short), &plain
	}
	if node.Kind == yaml.MappingNode && len(node.Content) == 2 {
		if key := node.Content[0].Value; key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::") {
			return key, follow(node.Content[1])
		}
	}
	return "", nil
}

func longName(short string) string {
	if short == "Ref" || short == "Condition" {
		return short
	}
	return "Fn::" + short
}

// expand returns the node that a node stands for, or what it depends on. Nothing
// stands for nothing.
func (r *resolver) expand(node *yaml.Node, depth int) (*yaml.Node, string) {
	node = follow(node)
	if node == nil {
		return nil, ""
	}
	name, argument := intrinsic(node)
	if name == "" {
		return node, ""
	}
	if r.visits++; depth > deepest || r.visits > most || argument == nil {
		return nil, "itself, or on too much"
	}
	depth++
	switch name {
	case "Ref":
		return r.ref(argument.Value, depth)
	case "Fn::GetAtt":
		return r.attribute(argument, depth)
	case "Fn::Sub":
		return r.substitute(argument, depth)
	case "Fn::Join":
		return r.join(argument, depth)
	case "Fn::Split":
		return r.split(argument, depth)
	case "Fn::Select":
		return r.pick(argument, depth)
	case "Fn::FindInMap":
		return r.findInMap(argument, depth)
	case "Fn::If":
		return r.choose(argument, depth)
	case "Fn::ImportValue":
		return r.imported(argument, depth)
	}
	return nil, name
}

// text returns the text that a node stands for, or what it depends on.
func (r *resolver) text(node *yaml.Node, depth int) (string, string) {
	node, reason := r.expand(node, depth)
	switch {
	case reason != "":
		return "", reason
	case node == nil || node.Kind != yaml.ScalarNode || isNoValue(node):
		return "", "what is no text"
	case len(node.Value) > largest:
		return "", tooLong
	}
	return node.Value, ""
}

// texts returns the texts that the items of a list stand for.
func (r *resolver) texts(list *yaml.Node, depth int) ([]string, string) {
	list, reason := r.expand(list, depth)
	switch {
	case reason != "":
		return nil, reason
	case list == nil || list.Kind != yaml.SequenceNode:
		return nil, "what is no list"
	}
	var all []string
	size := 0
	for _, item := range items(list) {
		text, reason := r.text(item, depth)
		if size += len(text); size > largest {
			reason = tooLong
		}
		if reason != "" {
			return nil, reason
		}
		all = append(all, text)
	}
	return all, ""
}

// tooLong is what a value depends on that is longer than any can be.
const tooLong = "too long a text"

// given returns the value that was given for a name.
func (r *resolver) given(name string) (string, bool) {
	r.asked[name], r.missing = true, name
	value, found := r.options.Values[name]
	return value, found
}

// ref returns what Ref gives for a name.
func (r *resolver) ref(name string, depth int) (*yaml.Node, string) {
	parameter := member(member(r.root, "Parameters"), name)
	if value, given := r.given(name); given {
		return listed(value, parameter), ""
	}
	switch name {
	case "AWS::NoValue":
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: noValue}, ""
	case "AWS::Region", "AWS::Partition":
		return r.place(name)
	}
	if strings.HasPrefix(name, "AWS::") {
		return nil, name
	}
	if parameter != nil {
		return r.parameter(name, parameter)
	}
	return r.secret(name, depth)
}

// place returns where the stack would be made.
func (r *resolver) place(name string) (*yaml.Node, string) {
	switch {
	case r.options.Region == "":
		return nil, name + ", and no region is set"
	case name == "AWS::Partition":
		return scalar(arn.Partition(r.options.Region)), ""
	}
	return scalar(r.options.Region), ""
}

// parameter returns the default of a parameter.
func (r *resolver) parameter(name string, parameter *yaml.Node) (*yaml.Node, string) {
	kind, value := member(parameter, "Type"), member(parameter, "Default")
	switch {
	case value == nil || value.Kind != yaml.ScalarNode:
		return nil, "the parameter " + name + ", which has no default"
	case kind != nil && strings.HasPrefix(kind.Value, "AWS::SSM::"):
		return nil, "the parameter " + name + ", whose value is in Parameter Store"
	}
	r.defaults[name] = true
	return listed(value.Value, parameter), ""
}

// listed returns the value of a parameter, as the list that its type may make of it.
func listed(value string, parameter *yaml.Node) *yaml.Node {
	kind := member(parameter, "Type")
	if kind == nil || kind.Value != "CommaDelimitedList" && !strings.HasPrefix(kind.Value, "List<") {
		return scalar(value)
	}
	parts := &yaml.Node{Kind: yaml.SequenceNode}
	for part := range strings.SplitSeq(value, ",") {
		parts.Content = append(parts.Content, scalar(strings.TrimSpace(part)))
	}
	return parts
}

// secret returns the name of a secret that the template makes: Ref gives its ARN,
// which says the same, but is known after a deployment only.
func (r *resolver) secret(id string, depth int) (*yaml.Node, string) {
	resource := member(member(r.root, "Resources"), id)
	property := ""
	switch kind := member(resource, "Type"); {
	case kind == nil:
	case kind.Value == "AWS::SecretsManager::Secret":
		property = "Name"
	case kind.Value == "AWS::SecretsManager::SecretTargetAttachment":
		property = "SecretId"
	}
	name := member(member(resource, "Properties"), property)
	if property == "" || name == nil {
		return nil, "the resource " + id
	}
	text, reason := r.text(name, depth)
	if reason != "" {
		return nil, reason
	}
	r.made[text] = true
	return scalar(text), ""
}

// attribute returns what Fn::GetAtt gives: Id of a secret is what Ref gives too.
func (r *resolver) attribute(argument *yaml.Node, depth int) (*yaml.Node, string) {
	name := argument.Value
	if list := items(argument); len(list) == 2 {
		name = list[0].Value + "." + list[1].Value
	}
	if value, given := r.given(name); given {
		return scalar(value), ""
	}
	if id, isID := strings.CutSuffix(name, ".Id"); isID {
		return r.secret(id, depth)
	}
	return nil, "Fn::GetAtt " + name
}

// imported returns the value that was given for another stack's export.
func (r *resolver) imported(argument *yaml.Node, depth int) (*yaml.Node, string) {
	name, reason := r.text(argument, depth)
	if reason != "" {
		return nil, reason
	}
	if value, given := r.given(name); given {
		return scalar(value), ""
	}
	return nil, "Fn::ImportValue " + name
}

// substitute evaluates Fn::Sub: a text, or a list of a text and a map.
func (r *resolver) substitute(argument *yaml.Node, depth int) (*yaml.Node, string) {
	text, own := argument.Value, (*yaml.Node)(nil)
	if list := items(argument); len(list) > 0 {
		text = list[0].Value
		own = list[len(list)-1]
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			out.WriteString(text)
			return scalar(out.String()), ""
		}
		out.WriteString(before)
		value, reason := r.variable(name, own, depth)
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

// variable returns what stands for ${name} in Fn::Sub.
func (r *resolver) variable(name string, own *yaml.Node, depth int) (string, string) {
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
	return scalar(strings.Join(parts, list[0].Value)), ""
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
	if err != nil || index < 0 || index >= len(items(from)) {
		return nil, "Fn::Select"
	}
	return r.expand(items(from)[index], depth)
}

// findInMap evaluates Fn::FindInMap, with the default that it may have.
func (r *resolver) findInMap(argument *yaml.Node, depth int) (*yaml.Node, string) {
	list := items(argument)
	if len(list) < 3 {
		return nil, "Fn::FindInMap"
	}
	node := member(r.root, "Mappings")
	for _, item := range list[:3] {
		key, reason := r.text(item, depth)
		if reason != "" {
			return nil, reason
		}
		node = member(node, key)
	}
	if node == nil && len(list) > 3 {
		return r.expand(member(list[3], "DefaultValue"), depth)
	}
	if node == nil {
		return nil, "Fn::FindInMap, which finds nothing"
	}
	return node, ""
}

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
	node := member(member(r.root, "Conditions"), name)
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
