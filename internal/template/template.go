// Package template reads the functions of a SAM or CloudFormation template.
package template

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"secretwrap/internal/configfile"
	"secretwrap/internal/problem"
	"secretwrap/internal/suggest"
	"secretwrap/internal/yamlfile"
)

// Kind returns what kind of file a template is. CloudFormation takes 1 MB.
func Kind() configfile.Kind { return configfile.Kind{Name: "template", MaxKiB: 1 << 10} }

// Options are what a deployment would know.
type Options struct {
	// Values are those of parameters, and of whatever else Ref, Fn::Sub, Fn::GetAtt
	// and Fn::ImportValue name: a logical ID, LOGICAL-ID.ATTRIBUTE, AWS::StackName.
	Values map[string]string
	// Region is where the stack would be made, empty if that is not known.
	Region string
}

// Template is a template whose functions can be read.
type Template struct {
	source   string
	root     *yaml.Node
	resolver *resolver
	// ids are the logical IDs of its functions, lines where they stand.
	ids   []string
	lines map[string]int
}

// Function is the configuration of one function.
type Function struct {
	// ID is the logical ID.
	ID   string
	Line int
	// Variables are those of its environment, in the order of the template.
	Variables []Variable
	// Handler, Runtime and Code, the path of the code as written, are empty if they
	// are not set, or known after a deployment only.
	Handler, Runtime, Code string
	// Builder is the SAM CLI's for the code, empty for the runtime's own.
	Builder string
	// Inline is set for a function whose code stands in the template.
	Inline bool
	// Image is set for a function that is packaged as a container image, SnapStart
	// for one whose published versions are kept as snapshots, NoLayer for one that
	// certainly has none.
	Image, SnapStart, NoLayer bool
}

// Variable is one variable of a function's environment.
type Variable struct {
	Name, Value string
	Line        int
	// Unresolved says what the value depends on that a deployment alone knows, and is
	// empty if Value holds. If it is not, Value has the texts of which it is made.
	Unresolved string
	// Missing is the name whose value would help to resolve it, empty if there is none.
	Missing string
	// Instead is what to write in place of one of CloudFormation's own references to
	// a secret, empty if there is none.
	Instead string
	// hidden is set if a parameter with NoEcho took part in the value.
	hidden bool
}

// functionTypes are the types of resources that are functions.
func functionTypes() []string { return []string{serverlessFunction, "AWS::Lambda::Function"} }

const serverlessFunction = "AWS::Serverless::Function"

// Parse reads the template called source, in YAML or JSON.
func Parse(source string, data []byte, options Options) (*Template, problem.List) {
	documents, fault := decode(data)
	if fault != nil {
		fault.Source = source
		return nil, problem.List{fault}
	}
	if len(documents) == 0 || documents[0].Content[0].Kind != yaml.MappingNode {
		return nil, problem.List{bad(source, 1, "the file is no template", "name a SAM or CloudFormation template with Resources")}
	}
	if len(documents) > 1 {
		return nil, problem.List{bad(source, documents[1].Line, yamlfile.SecondDocument, yamlfile.SecondDocumentHint)}
	}
	t := &Template{source: source, root: documents[0].Content[0], lines: make(map[string]int)}
	if problems := t.repetitions(); len(problems) > 0 {
		return nil, problems
	}
	t.resolver = &resolver{root: t.root, options: options, sections: make(map[string]map[string]*yaml.Node), defaults: make(map[string]bool), asked: make(map[string]bool), made: make(map[string]bool)}
	for key, value := range pairs(member(t.root, "Resources")) {
		kind := member(value, "Type")
		if kind != nil && slices.Contains(functionTypes(), kind.Value) && t.lines[key.Value] == 0 {
			t.ids = append(t.ids, key.Value)
			t.lines[key.Value] = max(key.Line, 1)
		}
	}
	return t, nil
}

// repetitions returns a problem for each key that is given twice: readers differ in
// which they take.
func (t *Template) repetitions() (problems problem.List) {
	for _, key := range repetitions(t.root) {
		p := bad(t.source, key.Line, "is given twice", "keep one of them")
		p.Variable = key.Value
		problems = append(problems, p)
	}
	return problems
}

// decode reads JSON as what it is: YAML allows no tabs before a token, and knows
// no pairs of surrogates.
func decode(data []byte) ([]*yaml.Node, *problem.Problem) {
	isJSON := bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))
	if isJSON {
		if document, ok := decodeJSON(data); ok {
			return []*yaml.Node{document}, nil
		}
	}
	documents, fault := yamlfile.Decode(data)
	if fault != nil && isJSON {
		var value any
		if syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(data, &value)); ok {
			line := 1 + bytes.Count(data[:syntax.Offset], []byte("\n"))
			return nil, bad("", line, "is not valid JSON", "look for a comma, a quote or a bracket too many or too few, here or in the line above")
		}
	}
	return documents, fault
}

// Function returns the function whose logical ID is id, or the only one that begins
// so, since the CDK appends a hash; if id is empty, the only one there is.
func (t *Template) Function(id string) (Function, problem.List) {
	var begin []string
	for _, known := range t.ids {
		if strings.HasPrefix(known, id) {
			begin = append(begin, known)
		}
	}
	switch {
	case slices.Contains(t.ids, id):
		return t.function(id)
	case len(begin) == 1:
		return t.function(begin[0])
	}
	return Function{}, problem.List{t.noFunction(id, begin)}
}

// noFunction says why no function is meant by id, with which several may begin.
func (t *Template) noFunction(id string, begin []string) *problem.Problem {
	switch near, found := suggest.Nearest(id, t.ids); {
	case len(t.ids) == 0:
		return bad(t.source, 0, "the template has no function",
			"a function is a resource of the type "+strings.Join(functionTypes(), " or ")+"; those of Fn::ForEach and of macros are there after a deployment only")
	case id == "":
		return bad(t.source, 0, fmt.Sprintf("the template has %d functions", len(t.ids)), "choose one with --function: "+strings.Join(t.ids, ", "))
	case len(begin) > 1:
		return bad(t.source, 0, fmt.Sprintf("%d functions begin with %q", len(begin), id), "choose one with --function: "+strings.Join(begin, ", "))
	case found:
		return bad(t.source, 0, fmt.Sprintf("the template has no function %q", id), "did you mean "+near+"?")
	}
	return bad(t.source, 0, fmt.Sprintf("the template has no function %q", id), "its functions are "+strings.Join(t.ids, ", "))
}

// Defaults returns the parameters whose defaults were used, in the order of the
// template. Their values may be secrets.
func (t *Template) Defaults() []string {
	var used []string
	for key := range pairs(member(t.root, "Parameters")) {
		if t.resolver.defaults[key.Value] {
			used = append(used, key.Value)
		}
	}
	return used
}

// Makes reports whether the template makes the secret of that name, to which a function
// that was read refers.
func (t *Template) Makes(secret string) bool { return t.resolver.made[secret] }

// Misnamed returns a problem for each given value whose name nothing in the template
// has, and that was not asked for.
func (t *Template) Misnamed() (problems problem.List) {
	known := t.resolver.known()
	for _, name := range slices.Sorted(maps.Keys(t.resolver.options.Values)) {
		if t.resolver.asked[name] || slices.Contains(known, name) || strings.HasPrefix(name, "AWS::") || strings.Contains(name, ".") {
			continue
		}
		hint := "name a parameter, or what else Ref, Fn::Sub, Fn::GetAtt or Fn::ImportValue name"
		if near, found := suggest.Nearest(name, known); found {
			hint = "did you mean " + near + "?"
		}
		problems = append(problems, bad(t.source, 0, fmt.Sprintf("a value is given for %q, which the template does not have", name), hint))
	}
	return problems
}

// function reads the function with that logical ID.
func (t *Template) function(id string) (Function, problem.List) {
	resource := member(member(t.root, "Resources"), id)
	properties := []*yaml.Node{member(resource, "Properties")}
	if member(resource, "Type").Value == serverlessFunction {
		properties = append(properties, globals(member(member(t.root, "Globals"), "Function"), member(resource, "IgnoreGlobals")))
	}
	text := func(path ...string) string { return t.text(properties, path...) }
	function := Function{
		ID: id, Line: t.lines[id],
		Handler: text("Handler"), Runtime: text("Runtime"),
		// The CDK notes where the code is among the metadata.
		Code:    cmp.Or(text("CodeUri"), text("Code"), textAt(resource, "Metadata", "aws:asset:path")),
		Builder: textAt(resource, "Metadata", "BuildMethod"),
		Inline:  text("Code", "ZipFile") != "" || text("InlineCode") != "",
		Image:   text("PackageType") == "Image", SnapStart: text("SnapStart", "ApplyOn") == "PublishedVersions",
		NoLayer: !slices.ContainsFunc(properties, func(from *yaml.Node) bool { return member(from, "Layers") != nil }),
	}
	variables, problems := t.variables(id, properties)
	function.Variables = variables
	return function, problems
}

// textAt returns the text at a path of maps, empty if there is none.
func textAt(node *yaml.Node, path ...string) string {
	for _, key := range path {
		node = member(node, key)
	}
	if node == nil {
		return ""
	}
	return node.Value
}

// globals returns what all functions have, without what one ignores: a list of
// properties, or * for all.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
func globals(all, ignored *yaml.Node) *yaml.Node {
	if all == nil || ignored == nil {
		return all
	}
	kept := &yaml.Node{Kind: yaml.MappingNode, Line: all.Line}
	for key, value := range pairs(all) {
		isKey := func(item *yaml.Node) bool { return item.Value == key.Value }
		if ignored.Value != "*" && !slices.ContainsFunc(items(ignored), isKey) {
			kept.Content = append(kept.Content, key, value)
		}
	}
	return kept
}

// variables reads the variables of a function: what it has of its own comes before
// what all have.
func (t *Template) variables(id string, properties []*yaml.Node) (variables []Variable, problems problem.List) {
	known := make(map[string]bool)
	for _, from := range properties {
		node, reason := t.resolver.at(from, "Environment", "Variables")
		if reason != "" {
			problems = append(problems, bad(t.source, from.Line, "the variables of "+id+" are known after a deployment only: "+reason, "write them out"))
		}
		for key, value := range pairs(node) {
			if variable, ok := t.variable(key, value); ok && !known[key.Value] {
				variables = append(variables, variable)
			}
			known[key.Value] = true
		}
	}
	return variables, problems
}

// What a variable may depend on that no value helps with.
const (
	// Dynamic is one of CloudFormation's own references.
	Dynamic = "a dynamic reference"
	// Unquoted is how a text without quotes is read.
	Unquoted = "how the value is read, which is not quoted"
	// Comment is the path that YAML takes for a comment.
	Comment = "what stands behind the blank and the #, which YAML takes for a comment"
	// NoText is a list or map.
	NoText = "a list or map, which is no value"
)

// Hint says what to do about what is not resolved.
func (v Variable) Hint() string {
	switch {
	case v.Unresolved == Dynamic && v.Instead != "":
		return "CloudFormation resolves the one, secretwrap the other: keep one of them"
	case v.Unresolved == Unquoted:
		return "quote the value: readers of YAML differ in what it is"
	case v.Unresolved == Comment:
		return "quote the text, or put a blank after the # of a comment"
	case v.Unresolved == NoText:
		return "write a text, and quote one that begins with a brace or a bracket"
	case strings.Contains(v.Unresolved, misnamed):
		return "correct the name in the template"
	case v.Missing != "":
		return "give it with --parameter " + v.Missing + "=VALUE; a secret by its name"
	}
	return "a deployment alone knows it: check a copy of the template that has the value"
}

// text returns the text at a path of the first properties that have one there.
func (t *Template) text(properties []*yaml.Node, path ...string) string {
	for _, from := range properties {
		node, reason := t.resolver.at(from, path...)
		if reason == "" && node != nil && node.Kind == yaml.ScalarNode {
			return node.Value
		}
		if node != nil || reason != "" {
			return ""
		}
	}
	return ""
}

// variable reads one variable, and reports whether the function has it.
func (t *Template) variable(key, value *yaml.Node) (Variable, bool) {
	node, reason := t.resolver.at(value)
	switch {
	case reason == "" && (node == nil || isNoValue(node)):
		return Variable{}, false
	case reason == "" && node.Kind != yaml.ScalarNode:
		reason = NoText
	case reason == "" && isReadOtherwise(node):
		reason = Unquoted
	case reason == "" && hasLostComment(value):
		reason = Comment
	}
	variable := Variable{Name: key.Value, Line: key.Line, Unresolved: reason, Missing: t.resolver.missing, hidden: t.resolver.hidden}
	if reason == "" {
		variable.Value = node.Value
	} else {
		variable.Value = textsOf(value)
	}
	return variable.withoutDynamic(), true
}

// isReadOtherwise reports whether readers of YAML differ in what a scalar without
// quotes is: on is a truth to some, 010 is eight, 1.10 loses its zero.
func isReadOtherwise(value *yaml.Node) bool {
	const longest = 40 // of a number or a date that somebody writes
	return value.Kind == yaml.ScalarNode && value.Style == 0 && len(value.Value) <= longest && otherwise.MatchString(value.Value)
}

// hasLostComment reports whether what stands behind a text was meant as its path: a #
// after a blank, without a blank behind it.
func hasLostComment(value *yaml.Node) bool {
	comment := value.LineComment
	return len(comment) > 1 && comment[1] != ' ' && strings.Contains(value.Value, "secretsmanager:")
}

var otherwise = regexp.MustCompile(`^(?i:yes|no|on|off)$|^[-+]?0[0-9_]+$|^[-+]?[0-9]+_[0-9_]*$|^[-+]?[0-9]*\.[0-9]*0$|^[-+]?[0-9]+(:[0-5]?[0-9])+$|^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}`)

func bad(source string, line int, cause, hint string) *problem.Problem {
	return &problem.Problem{Class: problem.Config, Source: source, Line: line, Cause: cause, Hint: hint}
}
