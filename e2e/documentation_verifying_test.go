//go:build linux

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func (d documentation) verifyingClaims() []claim {
	return []claim{
		proves(checkVerifiedByTheWorkflow, "cosign verify-blob"),
		proves(checkVerifiedByTheWorkflow, "gh attestation verify"),
		proves(tested("TestRelease"), "sha256sum --check", "jq -r", "`go version -m`"),
		proves(checkRebuilt, "make release "),
		proves(d.checkSumOfALayer, "get-layer-version"),
		proves(tested("TestPublishing"), "`make publish`"),
		proves(d.checkSigning, "start-signing-job", "put-signing-profile"),
		proves(d.checkProfilePermission, "`aws signer add-profile-permission`"),
	}
}

// checkVerifiedByTheWorkflow compares commands with those by which the release workflow
// verifies what it signed: here they cannot run.
func checkVerifiedByTheWorkflow(t *testing.T, s snippet) {
	workflow := unfolded(page(t, ".github/workflows/release.yml"))
	for _, quoted := range [][2]string{
		{`"$GITHUB_SERVER_URL/$WORKFLOW@$GITHUB_REF"`, `"https://github.com/OWNER/secretwrap/.github/workflows/release.yml@refs/tags/v1.2.0"`},
		{`"$GITHUB_REPOSITORY"`, "OWNER/secretwrap"},
		{`"$WORKFLOW"`, "OWNER/secretwrap/.github/workflows/release.yml"},
		{`"$GITHUB_REF"`, "refs/tags/v1.2.0"},
		{`"$file"`, "secretwrap-layer-x86_64.zip"},
	} {
		workflow = strings.ReplaceAll(workflow, quoted[0], quoted[1])
	}
	for line := range strings.Lines(unfolded(s.code)) {
		if !regexp.MustCompile(`(?m)^ *` + regexp.QuoteMeta(strings.TrimSpace(line)) + `$`).MatchString(workflow) {
			t.Errorf("the release workflow does not run %s", line)
		}
	}
}

// unfolded returns a text in which a command is one line.
func unfolded(text string) string {
	return regexp.MustCompile(` *\\\n *`).ReplaceAllString(text, " ")
}

// checkRebuilt checks that CI builds the release twice, and that the page names the Go
// of go.mod.
func checkRebuilt(t *testing.T, s snippet) {
	toolchain := regexp.MustCompile(`(?m)^toolchain (\S+)$`).FindStringSubmatch(page(t, "go.mod"))
	if toolchain == nil || !strings.HasPrefix(s.code, "GOTOOLCHAIN="+toolchain[1]+" make release ") {
		t.Errorf("go.mod has the toolchain %q", toolchain)
	}
	for _, step := range []string{" make release\n", " scripts/compare-release.sh\n"} {
		if !strings.Contains(page(t, ".ci/run"), step) {
			t.Errorf(".ci/run does not run%s", step)
		}
	}
}

// checkSumOfALayer compares what Lambda tells of a layer with the sum of its zip file.
func (d documentation) checkSumOfALayer(t *testing.T, s snippet) {
	toolNamed(t, "openssl")
	box := d.sandbox(t, nil)
	box.awsCommand(t, d.moto(t))
	copyFile(t, emptyZip(t), box.path("secretwrap-layer-x86_64.zip"))
	box.sh(t, "aws lambda publish-layer-version --layer-name secretwrap-managed-x86_64 --zip-file fileb://secretwrap-layer-x86_64.zip")
	told := strings.Fields(box.sh(t, s.code))
	if len(told) != 2 || told[0] != told[1] {
		t.Errorf("the lines are %q", told)
	}
}

// checkSigning signs a layer. The account is a moto_server, the signer a stand-in.
func (d documentation) checkSigning(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	moto := d.moto(t)
	box.awsCommand(t, moto)
	box.env = append(box.env, "BUCKET=layers", "AWS_REGION=eu-west-1")
	copyFile(t, emptyZip(t), box.path("secretwrap-layer-x86_64.zip"))
	box.sh(t, block(t, page(t, s.page), "sh", "put-signing-profile"))
	// Only now: of profiles moto knows.
	signer := newSigner(t, moto)
	box.env = append(box.env, "AWS_ENDPOINT_URL_SIGNER="+signer)
	out := box.sh(t, s.code)
	if !regexp.MustCompile(`(?m)^arn:aws:lambda:eu-west-1:\d{12}:layer:secretwrap-managed-x86_64:\d+\n$`).MatchString(out) {
		t.Errorf("prints %q", out)
	}
}

// newSigner starts what stands for AWS Signer, with the part of its API that signs
// objects of S3: it takes only a version of an object that is there.
func newSigner(t *testing.T, s3 string) string {
	t.Helper()
	const job = "c0ffee00-1111-4222-8333-444455556666"
	object := func(method, path string, body io.Reader) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), method, s3+"/"+path, body)
		if err != nil {
			return nil, err
		}
		// Whose the request is, which is all that moto looks at.
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=none")
		return http.DefaultClient.Do(request)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /signing-jobs", func(w http.ResponseWriter, r *http.Request) {
		var wish struct {
			ProfileName         string
			Source, Destination struct {
				S3 struct{ BucketName, Key, Version, Prefix string }
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&wish); err != nil || wish.ProfileName != "secretwrap" || wish.Source.S3.Version == "" {
			http.Error(w, fmt.Sprintf("%+v: %v", wish, err), http.StatusBadRequest)
			return
		}
		unsigned, err := object(http.MethodGet, wish.Source.S3.BucketName+"/"+wish.Source.S3.Key+"?versionId="+wish.Source.S3.Version, nil)
		if err != nil || unsigned.StatusCode != http.StatusOK {
			http.Error(w, fmt.Sprintf("no such object: %v", err), http.StatusBadRequest)
			return
		}
		defer unsigned.Body.Close()
		content, err := io.ReadAll(unsigned.Body)
		if err == nil {
			_, err = object(http.MethodPut, wish.Destination.S3.BucketName+"/"+wish.Destination.S3.Prefix+job+".zip", strings.NewReader(string(content)))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"jobId":%q}`, job)
	})
	mux.HandleFunc("GET /signing-jobs/"+job, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"jobId":%q,"status":"Succeeded","signedObject":{"s3":{"bucketName":"layers","key":"signed/%s.zip"}}}`, job, job)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// checkProfilePermission checks that the command exists, with what the page says of it.
func (d documentation) checkProfilePermission(t *testing.T, s snippet) {
	box := d.sandbox(t, nil)
	box.awsCommand(t, d.moto(t))
	_, stderr, err := box.try(t, s.code)
	if err == nil || !strings.Contains(stderr, "--profile-name, --action, --principal, --statement-id") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// TestTheEnvironmentNamesNoReleaseDirectory shows that a RELEASE of somebody else's, which
// CI services and deployments set, is not the directory that make release empties first.
func TestTheEnvironmentNamesNoReleaseDirectory(t *testing.T) {
	toolNamed(t, "make")
	show := exec.CommandContext(t.Context(), "make", "-f", "Makefile", "-f", "-", "show")
	show.Dir = ".."
	show.Env = append(outside(), "RELEASE=/")
	show.Stdin = strings.NewReader("show: ; @echo '$(RELEASE)'\n")
	out, err := show.Output()
	if err != nil || string(out) != "dist/release\n" {
		t.Errorf("%v: the release goes to %q", err, out)
	}
}

// TestRelease builds a release as make does, and compares what it says of itself with
// what Go says.
func TestRelease(t *testing.T) {
	jq := toolNamed(t, "jq")
	toolNamed(t, "make")
	dir := filepath.Join(t.TempDir(), "release")
	build := exec.CommandContext(t.Context(), "make", "-C", "..", "release", "RELEASE="+dir, "VERSION=1.2.3")
	build.Env = outside()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := page(t, "docs/verifying.md")
	run := func(code string) string {
		command := exec.CommandContext(t.Context(), "sh", "-euc", code)
		command.Dir = dir
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", code, err, out)
		}
		return string(out)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	checked := run(block(t, text, "sh", "sha256sum --check"))
	if got := strings.Count(checked, ": OK\n"); got != len(files)-1 || got != 16 {
		t.Errorf("%d files are checked of %d:\n%s", got, len(files), checked)
	}
	for program, archive := range map[string]string{
		"secretwrap-layer-x86_64": ".zip", "secretwrap-layer-arm64": ".zip", "secretwrap-linux-amd64": ".tar.gz",
		"secretwrap-linux-arm64": ".tar.gz", "secretwrap-darwin-amd64": ".tar.gz", "secretwrap-darwin-arm64": ".tar.gz",
	} {
		take := "tar -xzOf "
		if archive == ".zip" {
			take = "unzip -p "
		}
		inArchive := map[string]string{".zip": " extensions/secretwrap", ".tar.gz": " secretwrap"}[archive]
		run(take + program + archive + inArchive + " >program")
		listed := run(strings.ReplaceAll(block(t, text, "sh", "jq -r"), "secretwrap-layer-x86_64.cdx.json", program+".cdx.json"))
		var got []string
		for line := range strings.Lines(listed) {
			got = append(got, strings.Join(strings.Fields(line)[:2], " "))
		}
		if want := modulesOf(t, run("go version -m program")); strings.Join(unique(got), "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: the SBOM lists\n%q, the program holds\n%q", program, got, want)
		}
		sum, _, _ := strings.Cut(run("sha256sum program"), " ")
		if told := strings.TrimSpace(run(jq.path + " -r .metadata.component.hashes[0].content " + program + ".cdx.json")); told != sum {
			t.Errorf("%s: the SBOM tells the checksum %s, the program has %s", program, told, sum)
		}
	}
	checkFormat(t, dir)
}

// checkFormat has CycloneDX's own library compare the bills with its schema, which must
// know a wrong one.
func checkFormat(t *testing.T, dir string) {
	t.Helper()
	python := cached(t, "builders/venv/bin/python")
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import cyclonedx.validation.json").CombinedOutput(); err != nil {
		need(t, "no Python with CycloneDX's library, which scripts/install-builders.sh installs: "+string(out))
	}
	validate := func(path string) ([]byte, error) {
		return exec.CommandContext(t.Context(), python, "-W", "ignore", "testdata/release/validate.py", path).CombinedOutput()
	}
	bills, err := filepath.Glob(filepath.Join(dir, "*.cdx.json"))
	if err != nil || len(bills) != 6 {
		t.Fatalf("%q: %v", bills, err)
	}
	for _, bill := range bills {
		if out, err := validate(bill); err != nil {
			t.Errorf("%s: %v\n%s", bill, err, out)
		}
	}
	content, err := os.ReadFile(bills[0])
	if err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.cdx.json")
	write(t, wrong, strings.Replace(string(content), `"SHA-256"`, `"SHA-999"`, 1), 0o644)
	if out, err := validate(wrong); err == nil || !strings.Contains(string(out), "SHA-999") {
		t.Errorf("a wrong bill is valid: %v\n%s", err, out)
	}
}

// modulesOf returns Go's version and the modules that go version -m prints.
func modulesOf(t *testing.T, printed string) []string {
	t.Helper()
	goVersion := regexp.MustCompile(`^program: go(\S+)\n`).FindStringSubmatch(printed)
	if goVersion == nil {
		t.Fatalf("no version of Go in %q", printed)
	}
	modules := []string{"stdlib " + goVersion[1]}
	for _, dep := range regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(printed, -1) {
		modules = append(modules, dep[1]+" "+dep[2])
	}
	return modules
}

// unique leaves out lines that come again at once: a module with two licences has two.
func unique(lines []string) []string {
	var left []string
	for _, line := range lines {
		if len(left) == 0 || left[len(left)-1] != line {
			left = append(left, line)
		}
	}
	return left
}
