//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"secretwrap/e2e/emulator"
	"secretwrap/internal/awsfake"
)

// neighbour is another wrapper in the chain, and what becomes of a function with it.
type neighbour struct {
	// recipe is a word that only its configuration in docs/neighbours.md holds.
	recipe string
	// env comes after it.
	env []string
	// layer is what the stand-in brings, below testdata/neighbours.
	layer string
	// function is a function without it.
	function func(*testing.T, ...string) emulator.Function
	// handler is what the function's is called, if it is not as usual.
	handler string
	// want are variables that the handler sees, beside the password.
	want map[string]string
}

// resolved is what the stand-ins say if they saw secrets, not references.
func resolved(who string) map[string]string { return map[string]string{"NEIGHBOUR": who + " resolved"} }

// and returns the variables of both.
func and(all map[string]string, name, value string) map[string]string {
	all[name] = value
	return all
}

// testNeighbours checks the recipes of docs/neighbours.md.
func (l lab) testNeighbours(t *testing.T) {
	for name, n := range map[string]neighbour{
		"Datadog": {
			recipe: "DD_API_KEY_SECRET_ARN", layer: "datadog", function: l.node,
			want: and(and(resolved("datadog"), "AWS_LAMBDA_EXEC_WRAPPER", "/opt/datadog_wrapper"), "DD_TRACE_STATS_COMPUTATION_ENABLED", "false"),
		},
		"Datadog for Java":          {recipe: "DD_API_KEY_SECRET_ARN", layer: "datadog", function: l.java, want: resolved("datadog")},
		"OpenTelemetry for Node.js": {recipe: "OTEL_EXPORTER", layer: "opentelemetry-nodejs", function: l.node, want: resolved("opentelemetry")},
		"OpenTelemetry for Java": {
			recipe: "OTEL_EXPORTER", layer: "opentelemetry-java", function: l.java,
			want: and(resolved("opentelemetry"), "JAVA_TOOL_OPTIONS", "-Dneighbour=opentelemetry "),
		},
		"OpenTelemetry for Python": {
			recipe: "OTEL_EXPORTER", env: []string{"SECRETWRAP_EXEC_WRAPPER=/opt/otel-instrument"}, layer: "opentelemetry-python", function: l.python,
			want: and(resolved("opentelemetry"), "TRACED", "yes"),
		},
		"OpenTelemetry for Ruby": {recipe: "OTEL_EXPORTER", layer: "opentelemetry-ruby", function: l.ruby, want: and(resolved("opentelemetry"), "TRACED", "yes")},
		"Lumigo":                 {recipe: "LUMIGO", layer: "lumigo", function: l.node, want: and(resolved("lumigo"), "TRACED", "yes")},
		"New Relic": {
			recipe: "NEW_RELIC_LICENSE_KEY_SECRET", layer: "new-relic-java", function: l.java,
			want: and(resolved("new relic"), "JAVA_TOOL_OPTIONS", "-Dneighbour=newrelic "),
		},
		"remote debugging": {recipe: "ldk_wrapper", layer: "remote-debugging", function: l.node, want: map[string]string{"NEIGHBOUR": "remote debugging"}},
		"Web Adapter":      {recipe: "SECRETWRAP_EXEC_WRAPPER=/opt/bootstrap", layer: "web-adapter", function: l.server, handler: "run.sh", want: map[string]string{"NEIGHBOUR": "web adapter 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l.checkNeighbour(t, n)
		})
	}
	t.Run("OpenTelemetry for Java, by the arguments", l.testChangedArguments)
	t.Run("Datadog for Java, by the arguments", l.testRebuiltArguments)
	t.Run("two of them", l.testTwoNeighbours)
	t.Run("Datadog with AppSec", l.testAppSecRefused)
	t.Run("Datadog with AppSec on an OS-only runtime", l.testAppSecBehindBootstrap)
	t.Run("an extension that reads a reference", l.testReadByExtension)
}

// checkNeighbour checks that the stand-in and the handler see secrets, handed over
// by the extension, and that nobody complains but about what an extension reads.
func (l lab) checkNeighbour(t *testing.T, n neighbour) {
	t.Helper()
	env := append(recipe(t, n.recipe), n.env...)
	fn := n.function(t)
	fn.Env = append(fn.Env, env...)
	fn.Layer = merge(t, fn.Layer, filepath.Join("testdata", "neighbours", n.layer))
	if n.handler != "" {
		fn.Handler = n.handler
	}
	d := l.deploy(t, startFake(t, neighbourSecrets()).reachable(fn), canary)
	want := and(n.want, "DB_PASSWORD", canary)
	var names []string
	for name := range want {
		names = append(names, name)
	}
	seen := d.seen(t, event{Names: names})
	for name, value := range want {
		if seen[name] != value {
			t.Errorf("the function sees %q in %s, want %q", seen[name], name, value)
		}
	}
	d.checkRegistered(t, "[SHUTDOWN]") // it knows that a wrapper comes
	log := d.wholeLog(t)
	warnings := strings.Count(log, "] warning: ") - strings.Count(log, "an extension that reads this variable sees the reference")
	if strings.Contains(log, "] error: ") || warnings > 0 || !strings.Contains(log, ", extension [SecretsDelivered]") {
		t.Error("somebody complains, or there was no hand-over")
	}
}

// recipe returns the variables of a configuration in docs/neighbours.md.
func recipe(t *testing.T, word string) []string {
	t.Helper()
	return strings.Fields(block(t, page(t, "docs/neighbours.md"), "sh", word))
}

// neighbourSecrets are those that the recipes refer to.
func neighbourSecrets() map[string]awsfake.Version {
	field := func(name string) awsfake.Version {
		return awsfake.Version{String: new(`{"` + name + `":"` + canary + `"}`)}
	}
	return map[string]awsfake.Version{"prod/db": field("password"), "prod/otel": field("key"), "prod/lumigo": field("token")}
}

// server returns a function of a managed runtime whose handler is a script that
// starts a server: that is the Go handler here.
func (l lab) server(t *testing.T, env ...string) emulator.Function {
	t.Helper()
	fn := l.managed(t, []string{"/bin/sh", "-c", "exit 1"}, env...)
	write(t, filepath.Join(fn.Task, "run.sh"), "#!/bin/sh\nexec /var/task/handler\n", 0o755)
	return fn
}

// testChangedArguments has a wrapper that replaces the handler's name in the
// runtime's arguments.
func (l lab) testChangedArguments(t *testing.T) {
	t.Parallel()
	const handler, traced = "com.example.Handler::handle", "io.opentelemetry.TracingRequestWrapper"
	fn := l.managed(t, []string{"/var/task/handler", "-classpath", "/var/task:a b", handler}, append(recipe(t, "OTEL_EXPORTER"), "OTEL_TRACED_HANDLER="+traced)...)
	fn.Handler = handler
	fn.Layer = merge(t, fn.Layer, "testdata/neighbours/opentelemetry-java")
	d := l.deploy(t, startFake(t, neighbourSecrets()).reachable(fn), canary)
	seen := d.seen(t, event{Names: []string{"_HANDLER"}, Argv: true})
	if got, want := mustJSON(t, seen["argv"]), mustJSON(t, []string{"/var/task/handler", "-classpath", "/var/task:a b", traced}); got != want || seen["_HANDLER"] != traced {
		t.Errorf("arguments %s, handler %s, want %s", got, seen["_HANDLER"], want)
	}
}

// testRebuiltArguments has a wrapper that leaves out an argument and adds another.
func (l lab) testRebuiltArguments(t *testing.T) {
	t.Parallel()
	fn := l.managed(t, []string{"/var/task/handler", "-XX:-TieredCompilation", "-classpath", "/var/task"}, recipe(t, "DD_API_KEY_SECRET_ARN")...)
	export(t, fn, "AWS_EXECUTION_ENV=AWS_Lambda_java21")
	fn.Layer = merge(t, fn.Layer, "testdata/neighbours/datadog")
	d := l.deploy(t, startFake(t, neighbourSecrets()).reachable(fn), canary)
	want := mustJSON(t, []string{"/var/task/handler", "-XX:TieredStopAtLevel=1", "-classpath", "/var/task"})
	if got := mustJSON(t, d.seen(t, event{Argv: true})["argv"]); got != want {
		t.Errorf("arguments %s, want %s", got, want)
	}
}

// testTwoNeighbours has a script that starts one wrapper with the other.
func (l lab) testTwoNeighbours(t *testing.T) {
	t.Parallel()
	fn := l.node(t, append(recipe(t, "OTEL_EXPORTER"), "SECRETWRAP_EXEC_WRAPPER=/opt/both")...)
	fn.Layer = merge(t, fn.Layer, "testdata/neighbours/datadog", "testdata/neighbours/opentelemetry-nodejs")
	write(t, filepath.Join(fn.Layer, "both"), "#!/bin/sh\nexec /opt/datadog_wrapper /opt/otel-handler \"$@\"\n", 0o755)
	d := l.deploy(t, startFake(t, neighbourSecrets()).reachable(fn), canary)
	seen := d.seen(t, event{Names: []string{"DB_PASSWORD", "NEIGHBOUR", "DD_TRACE_STATS_COMPUTATION_ENABLED"}})
	if seen["DB_PASSWORD"] != canary || seen["NEIGHBOUR"] != "opentelemetry resolved" || seen["DD_TRACE_STATS_COMPUTATION_ENABLED"] != "false" {
		t.Errorf("the function sees %v", seen)
	}
}

// testAppSecRefused has the chain in which the runtime would call a port that nobody
// opens.
func (l lab) testAppSecRefused(t *testing.T) {
	t.Parallel()
	fn := l.managed(t, plainHandler, append(recipe(t, "DD_API_KEY_SECRET_ARN"), "DD_SERVERLESS_APPSEC_ENABLED=t")...)
	fn.Layer = merge(t, fn.Layer, "testdata/neighbours/datadog")
	l.checkNotStarted(t, fn, "Runtime.SecretConfigInvalid", "64", "Datadog's wrapper cannot follow another one while DD_SERVERLESS_APPSEC_ENABLED is set")
}

// testAppSecBehindBootstrap has Datadog's wrapper behind the layer's bootstrap: the
// extension finds its wrapper's name, and opens the proxy that the wrapper has the
// runtime call.
func (l lab) testAppSecBehindBootstrap(t *testing.T) {
	t.Parallel()
	address, err := emulator.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	fn := l.layered(t, append(recipe(t, "DD_SERVERLESS_APPSEC_ENABLED=true"), "NEIGHBOUR_PROXY="+address)...)
	fn.Layer = merge(t, fn.Layer, "testdata/neighbours/datadog", l.vendor(t))
	d := l.deploy(t, startFake(t, neighbourSecrets()).reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"DB_PASSWORD", "NEIGHBOUR"}}); seen["DB_PASSWORD"] != canary || seen["NEIGHBOUR"] != "datadog resolved" {
		t.Errorf("the function sees %v", seen)
	}
	if log := d.wholeLog(t); !strings.Contains(log, "[vendor] passed on /2018-06-01/runtime/invocation/next") {
		t.Error("the runtime did not call the proxy")
	}
}

// testReadByExtension has a reference in a variable that a vendor's extension reads:
// that sees the reference, the function the secret, and the log says so once.
func (l lab) testReadByExtension(t *testing.T) {
	t.Parallel()
	fn := l.managed(t, plainHandler, "DD_API_KEY=secretsmanager://prod/db#password", "NEIGHBOUR_SHOW=DD_API_KEY")
	fn.Layer = merge(t, fn.Layer, l.vendor(t))
	d := l.deploy(t, startFake(t, oneSecret()).reachable(fn), canary)
	if seen := d.seen(t, event{Names: []string{"DD_API_KEY"}}); seen["DD_API_KEY"] != canary {
		t.Errorf("the function sees %v", seen)
	}
	log := d.wholeLog(t)
	for _, line := range []string{
		"[vendor] DD_API_KEY=secretsmanager://prod/db#password\n",
		"] warning: DD_API_KEY: an extension that reads this variable sees the reference, not the secret; for it use DD_API_KEY_SECRET_ARN ",
	} {
		if strings.Count(log, line) != 1 {
			t.Errorf("the log does not hold once %q", line)
		}
	}
}

// vendor returns a layer with a vendor's extension.
func (l lab) vendor(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "extensions"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(compiled(t, l.compilers.vendor), "vendor"), filepath.Join(dir, "extensions", "vendor"))
	return dir
}
