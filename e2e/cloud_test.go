//go:build linux

package e2e_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// cloud is a region of an AWS account that moto_server plays.
type cloud struct{ url, region string }

// accountID is that of moto's account.
const accountID = "123456789012"

// startCloud starts a moto_server with all the services that a stack needs.
func startCloud(t *testing.T) string {
	t.Helper()
	python := cached(t, "builders/venv/bin/python")
	if _, err := os.Stat(python); err != nil {
		need(t, "no moto with CloudFormation: scripts/install-builders.sh installs it")
	}
	return motoServerBy(t, python, "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
}

// access returns what AWS's tools and Terraform need to work on the account.
func (a cloud) access() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + a.url, "AWS_REGION=" + a.region, "AWS_DEFAULT_REGION=" + a.region,
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=example", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// call sends a request and returns the answer.
func (a cloud) call(t *testing.T, service, method, path string, header map[string]string, body []byte) []byte {
	t.Helper()
	answer, status := a.send(t, service, method, path, header, body)
	if status/100 != 2 {
		t.Fatalf("moto answers %d to %s %s of %s: %s", status, method, path, service, answer)
	}
	return answer
}

// send sends a request and returns the answer, which may be an error, and its status.
func (a cloud) send(t *testing.T, service, method, path string, header map[string]string, body []byte) (answer []byte, status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	// The scope chooses service and region; moto does not look at signatures.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/"+a.region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, response.StatusCode
}

// json sends a request of one of the services that speak JSON, and decodes the answer.
func (a cloud) json(t *testing.T, service, target string, input, output any) {
	t.Helper()
	body, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
	decode(t, a.call(t, service, http.MethodPost, "/", header, body), output)
}

// query sends a request of one of the services that speak XML, and decodes the answer.
func (a cloud) query(t *testing.T, service, action string, parameters map[string]string, output any) {
	t.Helper()
	form := url.Values{"Action": {action}}
	for name, value := range parameters {
		form.Set(name, value)
	}
	header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	answer := a.call(t, service, http.MethodPost, "/", header, []byte(form.Encode()))
	if err := xml.Unmarshal(answer, output); err != nil {
		t.Fatalf("%s: %v\n%s", action, err, answer)
	}
}

// decode reads JSON.
func decode(t *testing.T, text []byte, output any) {
	t.Helper()
	if err := json.Unmarshal(text, output); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// makeBucket makes a bucket for what is deployed.
func (a cloud) makeBucket(t *testing.T, name string) {
	t.Helper()
	body := `<CreateBucketConfiguration><LocationConstraint>` + a.region + `</LocationConstraint></CreateBucketConfiguration>`
	a.call(t, "s3", http.MethodPut, "/"+name, nil, []byte(body))
}

// put uploads an object.
func (a cloud) put(t *testing.T, bucket, key string, content []byte) {
	t.Helper()
	a.call(t, "s3", http.MethodPut, "/"+bucket+"/"+key, nil, content)
}

// object downloads an object.
func (a cloud) object(t *testing.T, bucket, key string) []byte {
	t.Helper()
	return a.call(t, "s3", http.MethodGet, "/"+bucket+"/"+key, nil, nil)
}

// createStack makes a stack of a template and returns its outputs.
func (a cloud) createStack(t *testing.T, name string, template map[string]any) map[string]string {
	t.Helper()
	body, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	var created struct{}
	a.query(t, "cloudformation", "CreateStack", map[string]string{"StackName": name, "TemplateBody": string(body), "Capabilities.member.1": "CAPABILITY_IAM"}, &created)
	var described struct {
		Status  string `xml:"DescribeStacksResult>Stacks>member>StackStatus"`
		Outputs []struct {
			Key   string `xml:"OutputKey"`
			Value string `xml:"OutputValue"`
		} `xml:"DescribeStacksResult>Stacks>member>Outputs>member"`
	}
	a.query(t, "cloudformation", "DescribeStacks", map[string]string{"StackName": name}, &described)
	if described.Status != "CREATE_COMPLETE" {
		t.Fatalf("the stack is %q", described.Status)
	}
	outputs := make(map[string]string)
	for _, output := range described.Outputs {
		outputs[output.Key] = output.Value
	}
	return outputs
}

// configuration is that of a function, as Lambda tells it.
type configuration struct {
	Handler       string
	Runtime       string
	Role          string
	Timeout       int
	Architectures []string
	Layers        []struct{ Arn string }
	Environment   struct{ Variables map[string]string }
}

// configuration returns that of a function.
func (a cloud) configuration(t *testing.T, function string) configuration {
	t.Helper()
	var config configuration
	decode(t, a.call(t, "lambda", http.MethodGet, "/2015-03-31/functions/"+function+"/configuration", nil, nil), &config)
	return config
}

// env returns the variables that the function has.
func (c configuration) env() []string {
	var env []string
	for name, value := range c.Environment.Variables {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

// policies returns the documents that are written into a role, by its ARN.
func (a cloud) policies(t *testing.T, role string) []string {
	t.Helper()
	role = role[strings.LastIndex(role, "/")+1:]
	var list struct {
		Names []string `xml:"ListRolePoliciesResult>PolicyNames>member"`
	}
	a.query(t, "iam", "ListRolePolicies", map[string]string{"RoleName": role}, &list)
	var documents []string
	for _, name := range list.Names {
		var policy struct {
			Document string `xml:"GetRolePolicyResult>PolicyDocument"`
		}
		a.query(t, "iam", "GetRolePolicy", map[string]string{"RoleName": role, "PolicyName": name}, &policy)
		document, err := url.QueryUnescape(policy.Document)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, document)
	}
	return documents
}

// secret returns the text of a secret.
func (a cloud) secret(t *testing.T, name string) string {
	t.Helper()
	var secret struct{ SecretString string }
	a.json(t, "secretsmanager", "secretsmanager.GetSecretValue", map[string]string{"SecretId": name}, &secret)
	return secret.SecretString
}
