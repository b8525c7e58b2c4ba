package internal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/deliver"
	"secretwrap/internal/environ"
	"secretwrap/internal/fetch"
	"secretwrap/internal/manifest"
	"secretwrap/internal/pipenet"
	"secretwrap/internal/plan"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
	"secretwrap/internal/secretfiles"
	"secretwrap/internal/settings"
)

// FuzzASecretReachesTheProgramUnchanged holds the promise about values, from the
// answer of Secrets Manager as it comes over the network to the environment and the
// files of the program: any text of valid Unicode and any bytes arrive as they are.
// What is no text is refused.
func FuzzASecretReachesTheProgramUnchanged(f *testing.F) {
	for style := range uint8(styles) {
		for _, text := range []string{
			"", "s3cr3t", " \t\r\n", "a\x00b", "p@ss:w/o#r?d \"&%+\\", "\ufffd", "\ufeff{}", "é😀\u2028\u202e\U0010ffff", "a\xff", "\xed\xa0\x80", "\\ud800", `{"f":1.10}`,
			"{{secretsmanager://text}}", "$(id)\n`id`", strings.Repeat("x", 300), "\x1b[2J\x7f\u0085",
		} {
			f.Add(text, []byte(text), style, uint16(100))
		}
	}
	way := newWay(f)
	f.Fuzz(func(t *testing.T, text string, raw []byte, style uint8, most uint16) {
		way.secrets = map[string]string{
			"text":   `"SecretString":` + quoted(text, style),
			"json":   `"SecretString":` + quoted(`{"field":`+quoted(text, style+1)+`,"whole":1}`, style),
			"binary": fmt.Sprintf(`"SecretBinary":"%s"`, base64.StdEncoding.EncodeToString(raw)),
		}
		got, problems := way.deliver(t, binaryEnvironment(), int(most)+1)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		got.isBinary(t, string(raw))
		got, problems = way.deliver(t, textEnvironment(), int(most)+1)
		switch isText := utf8.ValidString(text); {
		case isText && len(problems) > 0:
			t.Error(problems)
		case isText:
			got.isText(t, text)
		case len(problems) == 0:
			t.Errorf("%q is no text, and was delivered", text)
		}
	})
}

// styles are the ways in which quoted writes a text.
const styles = 3

// quoted writes a JSON string as one server or another may: as little escaped as
// can be, as Go does it, or everything as UTF-16. Bytes that are no text stay.
func quoted(text string, style uint8) string {
	if style%styles == 1 && utf8.ValidString(text) {
		encoded, _ := json.Marshal(text) // cannot fail for a string
		return string(encoded)
	}
	var out strings.Builder
	out.WriteByte('"')
	for i := 0; i < len(text); {
		char, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case char == utf8.RuneError && size == 1:
			out.WriteByte(text[i])
		case style%styles == 2:
			for _, unit := range utf16.AppendRune(nil, char) {
				fmt.Fprintf(&out, `\u%04X`, unit)
			}
		case char < ' ' || char == '"' || char == '\\':
			fmt.Fprintf(&out, `\u%04x`, char)
		default:
			out.WriteString(text[i : i+size])
		}
		i += size
	}
	out.WriteByte('"')
	return out.String()
}

// way is the way of secrets to a program, with a Secrets Manager in memory.
type way struct {
	client *awssecrets.Client
	dir    string
	// secrets are by their names what an answer says beside the name, in JSON.
	secrets map[string]string
}

func newWay(f *testing.F) *way {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "eu-west-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_CA_BUNDLE": "",
	} {
		f.Setenv(name, value)
	}
	config, problems := awssecrets.Load(map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1",
	}, nil)
	if len(problems) > 0 {
		f.Fatal(problems)
	}
	listener := pipenet.Listen()
	config.Dial = listener.Dial
	w := &way{client: awssecrets.New(config), dir: filepath.Join(f.TempDir(), "files")}
	server := &http.Server{Handler: w}
	go func() { _ = server.Serve(listener) }()
	f.Cleanup(func() { _ = server.Close() })
	return w
}

// ServeHTTP answers as Secrets Manager does.
func (w *way) ServeHTTP(out http.ResponseWriter, request *http.Request) {
	var asked struct{ SecretId string }
	_ = json.NewDecoder(request.Body).Decode(&asked)
	content, known := w.secrets[asked.SecretId]
	if !known {
		out.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(out, `{"__type":"ResourceNotFoundException"}`)
		return
	}
	fmt.Fprintf(out, `{"ARN":"arn","Name":%q,"VersionId":"v",%s,"VersionStages":["AWSCURRENT"]}`, asked.SecretId, content)
}

// delivered is what the program finds: variables by their names, and what the
// files hold that lie at the paths in variables.
type delivered struct {
	variables map[string]string
	dir       string
}

// textEnvironment has every way in which a text can come to a program,
// binaryEnvironment every way for bytes.
func textEnvironment() []string {
	return []string{
		"WHOLE=secretsmanager://text",
		"PART=secretsmanager://json#field",
		"TEMPLATE=<{{secretsmanager://text}}|{{secretsmanager://json#field}}>",
		"URL=secretsmanager://text?encode=url",
		"BASE64=secretsmanager://text?encode=base64",
		"JSON=secretsmanager://json?encode=json#field",
		"FILE=secretsmanager://text?file=deep/text",
		"SECRETWRAP_ENV_FROM=json?prefix=ALL_",
	}
}

func binaryEnvironment() []string {
	return []string{
		"BYTES=secretsmanager://binary",
		"BYTES_BASE64=secretsmanager://binary?encode=base64",
		"BYTES_PATH=secretsmanager://binary?file=deep/bytes",
	}
}

// deliver gives secrets to a program with that environment.
func (w *way) deliver(t *testing.T, environment []string, most int) (delivered, problem.List) {
	t.Helper()
	inherited := environ.New(environment)
	from, _ := inherited.Lookup("SECRETWRAP_ENV_FROM")
	p, problems := plan.Make(inherited, settings.Settings{EnvFrom: strings.Fields(from), Dir: w.dir, MaxEnvValue: settings.Size(most)}, manifest.Manifest{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	requests := make([]awssecrets.Request, len(p.Secrets))
	for i, s := range p.Secrets {
		requests[i] = awssecrets.Request{Secret: s.ID}
	}
	outcomes := make([]fetch.Outcome, len(requests))
	for i, request := range requests {
		document, err := w.client.Get(t.Context(), request, 0)
		outcomes[i].Document = document
		outcomes[i].Err, _ = err.(*awssecrets.Error)
	}
	for _, target := range p.Targets {
		inherited.Unset(target.Name)
	}
	made, problems := deliver.Deliver(p, refresh.Sources(outcomes), inherited, 1<<20)
	if len(problems) > 0 {
		return delivered{}, problems
	}
	if err := secretfiles.Publish(w.dir, made.Files); err != nil {
		t.Fatal(err)
	}
	for _, v := range made.Variables {
		if err := inherited.Set(v.Name, v.Value); err != nil {
			t.Fatal(err)
		}
	}
	got := delivered{variables: make(map[string]string), dir: w.dir}
	for _, entry := range inherited.Entries() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.IndexByte(entry, 0) >= 0 || got.variables[name] != "" {
			t.Errorf("execve does not pass on %q", entry)
		}
		got.variables[name] = value
	}
	return got, nil
}

// value returns what a variable holds, or the file that it moved to.
func (d delivered) value(t *testing.T, name string) string {
	t.Helper()
	value, isVariable := d.variables[name]
	path, isFile := d.variables[name+"_FILE"]
	if isVariable == isFile {
		t.Errorf("%s is a variable: %v, a file: %v", name, isVariable, isFile)
	}
	if isFile {
		return d.file(t, path)
	}
	return value
}

func (d delivered) file(t *testing.T, path string) string {
	t.Helper()
	if !strings.HasPrefix(path, d.dir+"/") {
		t.Errorf("a file lies at %q", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	if found, err := os.Stat(path); err == nil && found.Mode() != fs.FileMode(0o400) {
		t.Errorf("%s has mode %v", path, found.Mode())
	}
	return string(content)
}

func (d delivered) isText(t *testing.T, text string) {
	t.Helper()
	for name, want := range map[string]string{
		"WHOLE": text, "PART": text, "ALL_field": text, "TEMPLATE": "<" + text + "|" + text + ">", "ALL_whole": "1",
		"BASE64": base64.StdEncoding.EncodeToString([]byte(text)),
	} {
		if got := d.value(t, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := d.file(t, d.variables["FILE"]); got != text || d.variables["FILE"] != d.dir+"/deep/text" {
		t.Errorf("the file holds %q, want %q", got, text)
	}
	if got, err := url.PathUnescape(d.value(t, "URL")); err != nil || got != text {
		t.Errorf("out of a URL comes %q, %v, want %q", got, err, text)
	}
	var inside string
	if err := json.Unmarshal([]byte(`"`+d.value(t, "JSON")+`"`), &inside); err != nil || inside != text {
		t.Errorf("out of JSON comes %q, %v, want %q", inside, err, text)
	}
}

func (d delivered) isBinary(t *testing.T, raw string) {
	t.Helper()
	if got := d.value(t, "BYTES"); got != raw {
		t.Errorf("the bytes are %q, want %q", got, raw)
	}
	if got := d.file(t, d.variables["BYTES_PATH"]); got != raw {
		t.Errorf("the file holds %q, want %q", got, raw)
	}
	if got, err := base64.StdEncoding.DecodeString(d.value(t, "BYTES_BASE64")); err != nil || !bytes.Equal(got, []byte(raw)) {
		t.Errorf("out of base64 comes %q, %v, want %q", got, err, raw)
	}
}
