//go:build linux

package e2e_test

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"secretwrap/internal/awsfake"
)

// A request goes to the host that AWS's SDK knows for the secret's region, over
// the proxy where there is one, with the function's own signature for that region
// and the secret's id as it was written. Where it cannot, the function does not
// start, and nothing tells the proxy's password.
func TestSecretsAreAskedForWhereTheyAre(t *testing.T) {
	t.Parallel()
	program, probe := filepath.Join(layer(t), "secretwrap"), built(t, ".", "probe", "./probe")
	for name, r := range routes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r.test(t, program, probe)
		})
	}
}

// test starts a function on the route.
func (r route) test(t *testing.T, program, probe string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	through := &proxy{target: listener.Addr().String(), refusal: r.refusal}
	r = r.between(through.target, through.start(t))
	server := r.serve(t, listener)
	argv := []string{program, probe, "show"}
	for i := range r.want {
		argv = append(argv, variable(i))
	}
	out, err := runIn(r.environment(t, server), argv...)
	if found := leaks(out, proxyPassword); len(found) > 0 {
		t.Errorf("the proxy's password is shown: %v", found)
	}
	r.checkVisits(t, through.visits())
	if r.stopped != "" {
		r.checkStopped(t, out, err, server)
	} else {
		r.checkValues(t, out, err)
		r.checkCalls(t, server.Calls())
	}
	if t.Failed() {
		t.Logf("the function's log:\n%s", out)
	}
}

// between returns the route with the addresses of its server and its proxy.
func (r route) between(server, proxy string) route {
	_, port, _ := net.SplitHostPort(server)
	fill := strings.NewReplacer("$PORT", port, "$PROXY", strings.TrimPrefix(proxy, "http://")).Replace
	r.env, r.endpoint = fill("HTTPS_PROXY=http://$PROXY "+r.env), fill(r.endpoint)
	r.region = cmp.Or(r.region, "eu-west-1")
	return r
}

// serve starts the server, which keeps the secrets that are wanted. Its
// certificate is for the hosts that must be asked, and for no other.
func (r route) serve(t *testing.T, listener net.Listener) *awsfake.Server {
	t.Helper()
	config := awsfake.Config{PlainHTTP: strings.HasPrefix(r.endpoint, "http://")}
	for i, e := range r.want {
		address := r.address(t, e)
		config.Hosts = append(config.Hosts, address.Hostname())
		config.Secrets = append(config.Secrets, e.secret(value(i)))
	}
	server, err := awsfake.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server.Serve(listener)
	t.Cleanup(server.Close)
	return server
}

// address returns where AWS's SDK says that the errand leads.
func (r route) address(t *testing.T, e errand) url.URL {
	t.Helper()
	rules := secretsmanager.EndpointParameters{Region: &e.region, UseFIPS: &r.fips, UseDualStack: &r.dualStack}
	if r.endpoint != "" {
		rules.Endpoint = &r.endpoint
	}
	found, err := secretsmanager.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), rules)
	if err != nil {
		t.Fatal(err)
	}
	return found.URI
}

// secret returns what the server keeps for the errand.
func (e errand) secret(value string) awsfake.Secret {
	const suffix = "-AbCdEf"
	secret := awsfake.Secret{Name: e.id, Versions: []awsfake.Version{{String: &value}}}
	if base, found := strings.CutPrefix(strings.TrimSuffix(e.id, suffix), "arn:"); found {
		secret.Name, secret.ARN = base[strings.LastIndex(base, ":")+1:], "arn:"+base+suffix
	}
	return secret
}

// variable returns the name of the function's variable for an errand.
func variable(i int) string { return fmt.Sprint("SECRET", i) }

// value returns what the errand's secret holds.
func value(i int) string { return fmt.Sprint(canary, i) }

// environment returns the function's variables, with everything on that could
// make the program talk.
func (r route) environment(t *testing.T, server *awsfake.Server) []string {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	write(t, bundle, string(server.CA()), 0o600)
	env := []string{
		"AWS_REGION=" + r.region, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=key", "AWS_SESSION_TOKEN=token",
		fmt.Sprint("AWS_USE_FIPS_ENDPOINT=", r.fips), fmt.Sprint("AWS_USE_DUALSTACK_ENDPOINT=", r.dualStack),
		"AWS_CA_BUNDLE=" + bundle, "TMPDIR=" + t.TempDir(), "SECRETWRAP_LOG_LEVEL=debug", "GODEBUG=http2debug=2",
	}
	for i, e := range r.want {
		env = append(env, variable(i)+"=secretsmanager://"+e.id)
	}
	return append(env, strings.Fields(r.env)...)
}

// checkVisits checks that the proxy was asked for each errand's host, once if the
// function starts, and was told no more than it must know.
func (r route) checkVisits(t *testing.T, visits []visit) {
	t.Helper()
	var want []visit
	for _, e := range r.want {
		if address := r.address(t, e); !r.direct {
			want = append(want, visit{net.JoinHostPort(address.Hostname(), cmp.Or(address.Port(), "443")), basic(r.login)})
		}
	}
	byAddress := func(a, b visit) int { return cmp.Compare(a.address, b.address) }
	slices.SortFunc(want, byAddress)
	slices.SortFunc(visits, byAddress)
	if r.stopped != "" && r.refusal >= http.StatusInternalServerError {
		if len(visits) < 2 {
			t.Error("what may pass is not tried again")
		}
		visits = slices.Compact(visits)
	}
	if !slices.Equal(visits, want) {
		t.Errorf("the proxy was asked for %q, want %q", visits, want)
	}
}

// basic returns the header that says who logs in, empty for nobody.
func basic(login string) string {
	if login == "" {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(login))
}

// checkStopped checks that the function did not start, learned nothing, and was
// told what to look at.
func (r route) checkStopped(t *testing.T, out string, err error, server *awsfake.Server) {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 69 {
		t.Errorf("ended with %v, want exit status 69", err)
	}
	for _, part := range []string{`SECRET0: secret "prod/db": ` + r.stopped + " [Runtime.SecretUnavailable]", r.hint()} {
		if !strings.Contains(out, part) {
			t.Errorf("nothing says %q", part)
		}
	}
	if found := leaks(out, canary); len(found) > 0 || server.Connections() > 0 {
		t.Errorf("%d connections to the server, its secret is shown: %v", server.Connections(), found)
	}
}

// hint returns what must be said to do about a proxy that does not let the function
// through.
func (r route) hint() string {
	if r.refusal != 0 {
		return "HTTPS_PROXY, and which hosts the proxy allows"
	}
	return "and HTTPS_PROXY if that is set"
}

// checkValues checks that the function started with its secrets.
func (r route) checkValues(t *testing.T, out string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("the function did not start: %v", err)
	}
	for i := range r.want {
		if line := fmt.Sprintf("%s=%q\n", variable(i), value(i)); !strings.Contains(out, line) {
			t.Errorf("the function does not see %s", line)
		}
	}
}

// checkCalls checks that each secret was asked for once, as it must be.
func (r route) checkCalls(t *testing.T, calls []awsfake.Call) {
	t.Helper()
	if len(calls) != len(r.want) {
		t.Errorf("%d calls for %d secrets", len(calls), len(r.want))
	}
	for _, e := range r.want {
		at := slices.IndexFunc(calls, func(c awsfake.Call) bool { return c.SecretID == e.id })
		if at < 0 {
			t.Errorf("nobody asked for %s, but %+v", e.id, calls)
			continue
		}
		address := r.address(t, e)
		e.check(t, calls[at], address.Host)
		if r.endpoint == "" {
			e.checkName(t, calls[at].Host, r.fips)
		}
	}
}

// check checks to whom the call went, and who made it for which region.
func (e errand) check(t *testing.T, call awsfake.Call, host string) {
	t.Helper()
	scope := awsfake.Signature{
		Signed: true, AccessKeyID: "AKIDEXAMPLE", Date: call.Signature.Date, Region: e.region, Service: "secretsmanager",
	}
	if call.Host != host || call.Signature != scope || !call.SecurityToken {
		t.Errorf("%s was asked for by %+v, want host %s and signature %+v", e.id, call, host, scope)
	}
}

// checkName checks a host by what is known of it without the SDK.
func (e errand) checkName(t *testing.T, host string, fips bool) {
	t.Helper()
	if !strings.HasSuffix(host, e.zone) || !strings.Contains(host, "."+e.region+".") || strings.Contains(host, "-fips.") != fips {
		t.Errorf("%s: host %s, want one of %s in %s, with -fips: %v", e.id, host, e.region, e.zone, fips)
	}
}
