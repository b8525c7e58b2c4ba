package template

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"secretwrap/internal/arn"
	"secretwrap/internal/suggest"
)

// resolver evaluates intrinsic functions as far as a template tells their result.
// What it cannot tell it names, as words that complete "depends on …".
type resolver struct {
	root     *yaml.Node
	sections map[string]map[string]*yaml.Node
	options  Options
	// defaults are the parameters whose defaults were used, asked the names of values
	// that would have been used if they were given.
	defaults, asked map[string]bool
	// missing is the name whose value would have helped, made are the names of
	// secrets that the template makes.
	missing string
	made    map[string]bool
	// hidden is set if a parameter with NoEcho took part in the value under way.
	hidden bool
	// visits is how many nodes were looked at, size how many bytes were made of them.
	visits, size int
}

// noValue is the tag of what AWS::NoValue stands for: nothing.
const noValue = "!novalue"

func isNoValue(node *yaml.Node) bool { return node.Tag == noValue }

// at returns what stands at a path of maps, nil if nothing does.
func (r *resolver) at(node *yaml.Node, path ...string) (*yaml.Node, string) {
	r.missing, r.hidden = "", false
	node, reason := r.expand(node, 0)
	for _, key := range path {
		if reason != "" || node == nil {
			return nil, reason
		}
		node, reason = r.expand(member(node, key), 0)
	}
	return node, reason
}

// named returns what has a name in a section of the template. Each section is read
// once.
func (r *resolver) named(section, name string) *yaml.Node {
	if r.sections[section] == nil {
		r.sections[section] = make(map[string]*yaml.Node)
		for key, value := range pairs(member(r.root, section)) {
			if _, known := r.sections[section][key.Value]; !known {
				r.sections[section][key.Value] = value
			}
		}
	}
	return r.sections[section][name]
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
		return nil, tooMuch
	}
	depth++
	switch name {
	case "Ref":
		return r.ref(argument, depth)
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
	r.visits++
	node, reason := r.expand(node, depth)
	switch {
	case reason != "":
		return "", reason
	case r.visits > most:
		return "", tooMuch
	case node == nil || node.Kind != yaml.ScalarNode || isNoValue(node):
		return "", "what is no text"
	case isReadOtherwise(node):
		return "", Unquoted
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
	for _, item := range list.Content {
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

// What a value depends on that is longer than any can be, or that never ends.
const (
	tooLong = "too long a text"
	tooMuch = "itself, or on too much"
)

// given returns the value that was given for a name.
func (r *resolver) given(name string) (string, bool) {
	r.asked[name] = true
	value, found := r.options.Values[name]
	return value, found
}

// lacks says that a value depends on what a name stands for.
func (r *resolver) lacks(name, reason string) (*yaml.Node, string) {
	r.missing = name
	return nil, reason
}

// compose returns a node with a text that was put together.
func (r *resolver) compose(text string) (*yaml.Node, string) {
	if r.size += len(text); len(text) > largest || r.size > mostMade {
		return nil, tooLong
	}
	return scalar(text), ""
}

// ref returns what Ref gives for a name.
func (r *resolver) ref(argument *yaml.Node, depth int) (*yaml.Node, string) {
	name := argument.Value
	if argument.Kind != yaml.ScalarNode {
		return nil, "Ref"
	}
	parameter := r.named("Parameters", name)
	if echo := member(parameter, "NoEcho"); echo != nil && strings.EqualFold(echo.Value, "true") {
		r.hidden = true
	}
	if near := r.nearest(name); near != "" {
		return nil, name + misnamed + near + "?"
	}
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
		return r.lacks(name, name)
	}
	if parameter != nil {
		return r.parameter(name, parameter)
	}
	return r.secret(name, depth)
}

// misnamed stands between a name that is nowhere and the one that may be meant.
const misnamed = ", which is no parameter or resource of the template: did you mean "

// nearest returns the parameter or resource that a name which is neither may be meant
// for, empty if it is one, or like none. SAM makes resources that no template has.
func (r *resolver) nearest(name string) string {
	if strings.HasPrefix(name, "AWS::") || r.named("Parameters", name) != nil || r.named("Resources", name) != nil {
		return ""
	}
	known := r.known()
	if len(known) > mostNames {
		return ""
	}
	r.visits += costOfNearest
	near, _ := suggest.Nearest(name, known)
	return near
}

// A template has at most 200 parameters and 500 resources. To compare a name with all
// of them costs as much as many nodes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	mostNames     = 700
	costOfNearest = 20
)

// known returns the names of all parameters and resources.
func (r *resolver) known() (names []string) {
	for _, section := range []string{"Parameters", "Resources"} {
		for key := range pairs(member(r.root, section)) {
			names = append(names, key.Value)
		}
	}
	return names
}

// place returns where the stack would be made.
func (r *resolver) place(name string) (*yaml.Node, string) {
	switch {
	case r.options.Region == "":
		return r.lacks(name, name+", and no region is set")
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
		return r.lacks(name, "the parameter "+name+", which has no default")
	case kind != nil && strings.HasPrefix(kind.Value, "AWS::SSM::"):
		return r.lacks(name, "the parameter "+name+", whose value is in Parameter Store")
	}
	r.defaults[name] = true
	if isList(parameter) {
		return listed(value.Value, parameter), ""
	}
	return value, ""
}

// isList reports whether a parameter's value is a list.
func isList(parameter *yaml.Node) bool {
	kind := member(parameter, "Type")
	return kind != nil && (kind.Value == "CommaDelimitedList" || strings.HasPrefix(kind.Value, "List<"))
}

// listed returns the value of a parameter, as the list that its type may make of it.
func listed(value string, parameter *yaml.Node) *yaml.Node {
	if !isList(parameter) {
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
	resource := r.named("Resources", id)
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
		return r.lacks(id, "the resource "+id)
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
		return r.ref(scalar(id), depth)
	}
	return r.lacks(name, "Fn::GetAtt "+name)
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
	if r.hidden {
		return nil, "Fn::ImportValue"
	}
	return r.lacks(name, "Fn::ImportValue "+name)
}
