//go:build linux

package e2e_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stack is a CloudFormation template, and the secrets that the test has made in the
// place of moto, whose CloudFormation knows none.
type stack struct {
	cloud
	template  map[string]any
	resources map[string]any
	arns      []string // of the secrets
	values    []string // what must not be shown
}

// readStack reads a template, makes its secrets, and puts their ARNs in the place of
// references to them.
func readStack(t *testing.T, a cloud, template []byte) *stack {
	t.Helper()
	s := &stack{cloud: a}
	decode(t, template, &s.template)
	s.resources = s.template["Resources"].(map[string]any)
	for id := range s.ofType("AWS::SecretsManager::Secret") {
		arn := s.makeSecret(t, s.properties(id))
		delete(s.resources, id)
		s.template["Resources"] = withReference(s.resources, id, arn)
		s.resources = s.template["Resources"].(map[string]any)
	}
	slices.Sort(s.arns)
	return s
}

// ofType returns the resources of a type.
func (s *stack) ofType(kind string) map[string]any {
	found := make(map[string]any)
	for id, resource := range s.resources {
		if resource.(map[string]any)["Type"] == kind {
			found[id] = resource
		}
	}
	return found
}

// only returns the ID of the one resource of a type.
func (s *stack) only(t *testing.T, kind string) string {
	t.Helper()
	ids := slices.Collect(maps.Keys(s.ofType(kind)))
	if len(ids) != 1 {
		t.Fatalf("resources of type %s: %q, want one", kind, ids)
	}
	return ids[0]
}

func (s *stack) properties(id string) map[string]any {
	return s.resources[id].(map[string]any)["Properties"].(map[string]any)
}

// makeSecret makes a secret as its properties tell, and returns its ARN.
func (s *stack) makeSecret(t *testing.T, properties map[string]any) string {
	t.Helper()
	var created struct{ ARN string }
	s.json(t, "secretsmanager", "secretsmanager.CreateSecret", map[string]any{
		"Name":         s.text(properties["Name"]),
		"SecretString": s.generate(t, properties["GenerateSecretString"].(map[string]any)),
	}, &created)
	s.arns = append(s.arns, created.ARN)
	return created.ARN
}

// generate returns a secret's text: a random one, or a document with such a field.
func (s *stack) generate(t *testing.T, properties map[string]any) string {
	t.Helper()
	document, isDocument := properties["SecretStringTemplate"].(string)
	key := properties["GenerateStringKey"]
	delete(properties, "SecretStringTemplate")
	delete(properties, "GenerateStringKey")
	var random struct{ RandomPassword string }
	s.json(t, "secretsmanager", "secretsmanager.GetRandomPassword", properties, &random)
	s.values = append(s.values, random.RandomPassword)
	if !isDocument {
		return random.RandomPassword
	}
	fields := make(map[string]any)
	decode(t, []byte(document), &fields)
	fields[key.(string)] = random.RandomPassword
	return toJSON(t, fields)
}

// text returns a text of the template in which pseudo parameters, or parameters with
// defaults, may stand.
func (s *stack) text(value any) string {
	intrinsic, ok := value.(map[string]any)
	if !ok {
		return value.(string)
	}
	text := s.pseudo(intrinsic["Fn::Sub"].(string))
	parameters, _ := s.template["Parameters"].(map[string]any)
	for name, parameter := range parameters {
		text = strings.ReplaceAll(text, "${"+name+"}", parameter.(map[string]any)["Default"].(string))
	}
	return text
}

// pseudo returns a text with the values of pseudo parameters.
func (a cloud) pseudo(text string) string {
	return strings.NewReplacer("${AWS::AccountId}", accountID, "${AWS::Region}", a.region).Replace(text)
}

// withReference returns a part of a template with value in the place of each reference
// to the resource id.
func withReference(part any, id, value string) any {
	switch part := part.(type) {
	case map[string]any:
		if len(part) == 1 && part["Ref"] == id {
			return value
		}
		if sub, ok := part["Fn::Sub"].(string); ok {
			return map[string]any{"Fn::Sub": strings.ReplaceAll(sub, "${"+id+"}", value)}
		}
		replaced := make(map[string]any)
		for name, inner := range part {
			replaced[name] = withReference(inner, id, value)
		}
		return replaced
	case []any:
		replaced := make([]any, len(part))
		for i, inner := range part {
			replaced[i] = withReference(inner, id, value)
		}
		return replaced
	}
	return part
}

// deploy makes the stack, which must have one function with one layer, and returns the
// function. moto forgets which layer a function has, so that the template tells.
func (s *stack) deploy(t *testing.T) deployment {
	t.Helper()
	layer := s.only(t, "AWS::Lambda::LayerVersion")
	function := s.properties(s.only(t, "AWS::Lambda::Function"))
	if got, want := toJSON(t, function["Layers"]), `[{"Ref":"`+layer+`"}]`; got != want {
		t.Errorf("the function's layers are %s, want %s", got, want)
	}
	outputs := s.createStack(t, "secretwrap-example", s.template)
	return deployment{
		cloud:         s.cloud,
		configuration: s.configuration(t, outputs["FunctionName"]),
		task:          unzip(t, s.download(t, function["Code"])),
		layer:         s.download(t, s.properties(layer)["Content"]),
	}
}

// policies returns the documents that are written into roles, or attached to them, as the
// template has them: moto keeps them in a form that is no JSON.
func (s *stack) policies(t *testing.T) []string {
	t.Helper()
	var documents []string
	add := func(policy any) { documents = append(documents, toJSON(t, policy.(map[string]any)["PolicyDocument"])) }
	for id := range s.ofType("AWS::IAM::Role") {
		written, _ := s.properties(id)["Policies"].([]any)
		for _, policy := range written {
			add(policy)
		}
	}
	for id := range s.ofType("AWS::IAM::Policy") {
		add(s.properties(id))
	}
	return documents
}

// download returns a file with the object that a template names.
func (s *stack) download(t *testing.T, place any) string {
	t.Helper()
	object := place.(map[string]any)
	content := s.object(t, s.text(object["S3Bucket"]), s.text(object["S3Key"]))
	path := filepath.Join(t.TempDir(), "object.zip")
	write(t, path, string(content), 0o644)
	return path
}

// checkAsBuilt checks that a layer was uploaded without a change, and returns what it
// holds.
func (x examples) checkAsBuilt(t *testing.T, path string) string {
	t.Helper()
	uploaded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(x.zip())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(uploaded, built) {
		t.Error("the layer is not the zip as built")
	}
	return unpacked(t, path)
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text.String())
}
