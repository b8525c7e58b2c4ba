//go:build linux

package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"secretwrap/e2e/emulator"
	"secretwrap/e2e/forms"
	"secretwrap/internal/awsfake"
)

// delivery is a configuration and what a function must receive by it.
type delivery struct {
	secrets map[string]awsfake.Version
	env     []string
	// names and files are what the variables hold, and what the files hold
	// whose paths the variables hold.
	names, files map[string]string
}

// functions returns how functions are packaged. README lists them.
func (l lab) functions() map[string]func(*testing.T, ...string) emulator.Function {
	return map[string]func(*testing.T, ...string) emulator.Function{
		"a Go handler behind a bootstrap of its own":      l.osOnly,
		"a Go handler behind the layer's bootstrap":       l.layered,
		"a Python handler behind a managed bootstrap":     l.python,
		"a Node.js handler behind a managed bootstrap":    l.node,
		"a Java handler behind a managed bootstrap":       l.java,
		"a Ruby handler behind a managed bootstrap":       l.ruby,
		"a .NET handler behind a managed bootstrap":       l.dotnet,
		"a .NET program behind a managed bootstrap":       l.dotnetExecutable,
		"a Python handler in AWS's base image":            l.pythonBaseImage,
		"a Python handler in an image of one's own":       l.pythonImage,
		"a Go handler in AWS's base image":                l.osOnlyBaseImage,
		"a Go handler in an image from scratch":           l.scratchImage,
		"a Go handler with copies for the layer's links":  l.copiedLinks,
		"a Python handler with the wrapper all by itself": func(t *testing.T, env ...string) emulator.Function { return l.alone(t, l.python(t, env...)) },
	}
}

// testReceives checks that handlers receive their secrets exactly.
func (l lab) testReceives(t *testing.T) {
	functions := l.functions()
	for who, function := range functions {
		t.Run(who+" from the fake over TLS", func(t *testing.T) {
			t.Parallel()
			delivery := newDelivery(t)
			fake := startFake(t, delivery.secrets)
			l.checkDelivery(t, function(t, delivery.env...), fake.store, delivery)
			fake.checkCalledOnce(t, delivery.secrets)
		})
	}
	t.Run("from moto", func(t *testing.T) {
		t.Parallel()
		delivery := newDelivery(t)
		moto := startMoto(t, delivery.secrets)
		for who, function := range functions {
			t.Run(who, func(t *testing.T) {
				t.Parallel()
				l.checkDelivery(t, function(t, delivery.env...), moto, delivery)
			})
		}
	})
}

// checkDelivery checks what fn's handler receives, as text and, for what JSON
// cannot carry exactly, as digests.
func (l lab) checkDelivery(t *testing.T, fn emulator.Function, from store, want delivery) {
	t.Helper()
	d := l.deploy(t, from.reachable(fn), want.values()...)
	names, files := slices.Collect(maps.Keys(want.names)), slices.Collect(maps.Keys(want.files))
	seen := d.seen(t, event{Names: names, Files: files})
	digests := d.seen(t, event{Digests: names})
	for name, value := range want.names {
		if seen[name] != value {
			t.Errorf("%s is %.100q, want %.100q", name, seen[name], value)
		}
		if sum := sha256.Sum256([]byte(value)); digests[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("the bytes of %s are not those of %.100q", name, value)
		}
	}
	for name, content := range want.files {
		if seen[name] != content {
			t.Errorf("the file of %s holds %q, want %q", name, seen[name], content)
		}
	}
}

// values returns everything that must not be logged.
func (d delivery) values() []string {
	values := []string{canary}
	for _, received := range []map[string]string{d.names, d.files} {
		for _, value := range received {
			if strings.Contains(value, canary) {
				values = append(values, value)
			}
		}
	}
	return values
}

// newDelivery returns one with everything a function can ask for.
func newDelivery(t *testing.T) delivery {
	t.Helper()
	var (
		password = `p@ss:w/o#r?d &%+"\` + canary
		token    = "Grüße, 世界 😀\n second line \t" + canary
		key      = "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----\n"
		large    = canary + strings.Repeat("0123456789abcdef", 4000)
		raw      = append([]byte{0, 1, 254, 255}, canary...)
		database = map[string]any{
			"username": "app", "password": password, "host": "db.internal", "price": json.Number("1.10"),
			"id": json.Number("9007199254740993"), "tls": true, "replicas": []any{map[string]any{"host": "r0"}},
			"spring.datasource.password": canary,
		}
	)
	return delivery{
		secrets: map[string]awsfake.Version{
			"prod/db":    {String: new(document(t, database))},
			"prod/token": {String: &token},
			"prod/tls":   {String: new(document(t, map[string]any{"private_key": key}))},
			"prod/large": {String: &large},
			"prod/raw":   {Binary: raw},
			"prod/text":  {String: new(allText())},
		},
		env: []string{
			"TOKEN=secretsmanager://prod/token",
			"TEXT=secretsmanager://prod/text",
			"DB_PASSWORD=secretsmanager://prod/db#password",
			"DB_PRICE=secretsmanager://prod/db#price",
			"DB_ID=secretsmanager://prod/db#id",
			"DB_TLS=secretsmanager://prod/db#tls",
			"DB_REPLICAS=secretsmanager://prod/db#replicas",
			"DB_FIRST_REPLICA=secretsmanager://prod/db#replicas.0.host",
			"SPRING_PASSWORD=secretsmanager://prod/db#spring.datasource.password",
			"DB_MODE=secretsmanager://prod/db?default=rea%64-only#mode",
			"DATABASE_URL=postgres://{{secretsmanager://prod/db#username}}:{{ secretsmanager://prod/db?encode=url#password }}@{{secretsmanager://prod/db#host}}/app",
			"RAW=secretsmanager://prod/raw?encode=base64",
			"LARGE=secretsmanager://prod/large",
			"TLS_KEY_PATH=secretsmanager://prod/tls?file=tls/client.key#private_key",
			"PLAIN=a b  c\n#$'\"",
			"ARN=arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/api-AbCdEf",
		},
		names: map[string]string{
			"TOKEN":            token,
			"TEXT":             allText(),
			"DB_PASSWORD":      password,
			"DB_PRICE":         "1.10",
			"DB_ID":            "9007199254740993",
			"DB_TLS":           "true",
			"DB_REPLICAS":      `[{"host":"r0"}]`,
			"DB_FIRST_REPLICA": "r0",
			"SPRING_PASSWORD":  canary,
			"DB_MODE":          "read-only",
			"DATABASE_URL":     "postgres://app:" + forms.Percent(password) + "@db.internal/app",
			"RAW":              base64.StdEncoding.EncodeToString(raw),
			"LARGE":            large,
			"PLAIN":            "a b  c\n#$'\"",
			"ARN":              "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/api-AbCdEf",
		},
		files: map[string]string{"TLS_KEY_PATH": key},
	}
}

// document returns fields as JSON.
func document(t *testing.T, fields map[string]any) string {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
