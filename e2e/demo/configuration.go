package main

import (
	"strings"
	"time"

	"secretwrap/internal/awsfake"
)

// serverDelay is how long Secrets Manager takes to answer.
const serverDelay = 40 * time.Millisecond

// The secrets, all of them invented.
const (
	apiKey   = "demo_7Hq2Lk9vXw4TzR1c"
	password = "p@ss/w:rd&50%"
	keyText  = "-----BEGIN PRIVATE KEY-----\ninvented for this demo\n-----END PRIVATE KEY-----\n"
	newText  = "-----BEGIN PRIVATE KEY-----\nrotated in this demo\n-----END PRIVATE KEY-----\n"
	keyFile  = "tls/client.key"
)

// secrets returns what is in Secrets Manager, with faults by name.
func secrets(faults map[string]awsfake.Fault) []awsfake.Secret {
	var list []awsfake.Secret
	for _, one := range []struct{ name, value string }{
		{"prod/api", apiKey},
		{"prod/db", `{"username":"app","password":"` + password + `","tenant":9007199254740993}`},
		{keySecret, keyDocument(keyText)},
	} {
		secret := awsfake.Secret{Name: one.name, Versions: []awsfake.Version{{String: new(one.value)}}}
		if fault, faulty := faults[one.name]; faulty {
			secret.Faults = []awsfake.Fault{fault}
		}
		list = append(list, secret)
	}
	return list
}

// keySecret is the secret that the demo rotates.
const keySecret = "prod/tls"

// keyDocument is what the secret with a key holds.
func keyDocument(key string) string {
	return `{"private_key":"` + strings.ReplaceAll(key, "\n", `\n`) + `"}`
}

// variable is one line of the function's configuration.
type variable struct {
	name      string
	reference string
	// want is what the function must see; empty for a path that depends on the
	// machine.
	want string
	// note tells what is special about the value.
	note string
}

func configuration() []variable {
	return []variable{
		{"API_KEY", "secretsmanager://prod/api", apiKey, "a whole secret"},
		{"DB_PASSWORD", "secretsmanager://prod/db#password", password, "a field of a JSON secret"},
		{"DATABASE_URL", "mysql://app:{{secretsmanager://prod/db?encode=url#password}}@db", "mysql://app:p%40ss%2Fw%3Ard%2650%25@db", "encoded for a URL"},
		{"TENANT_ID", "secretsmanager://prod/db#tenant", "9007199254740993", "digit for digit; a float ends in 2"},
		{"TLS_KEY_PATH", "secretsmanager://prod/tls?file=" + keyFile + "#private_key", "", ""},
	}
}

// environment returns variables as they are configured, with replaced ones in
// their place.
func environment(variables []variable, replaced map[string]string) []string {
	var list []string
	for _, v := range variables {
		reference := v.reference
		if other, ok := replaced[v.name]; ok {
			reference = other
		}
		list = append(list, v.name+"="+reference)
	}
	return list
}
