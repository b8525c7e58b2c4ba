package awsfake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Config says what a Server is. The zero Config is a Secrets Manager without
// secrets in eu-west-1, over TLS.
type Config struct {
	// Region, Account and Partition go into the ARNs; empty means eu-west-1,
	// 123456789012 and aws.
	Region    string
	Account   string
	Partition string
	// Delay is how long every call takes, counted from its arrival.
	Delay time.Duration
	// PlainHTTP leaves out TLS.
	PlainHTTP bool
	// Certificate is what is wrong with the server's certificate.
	Certificate Certificate
	// Hosts are names and addresses that the certificate is valid for, beside localhost,
	// 127.0.0.1 and ::1.
	Hosts   []string
	Secrets []Secret
	// KeptCalls is how many of the latest calls are remembered, so that a server
	// of many calls does not grow; 0 means all.
	KeptCalls int
	// Choose says how a call for the secret of that name is answered, if the secret
	// has no Faults. It may be called by several goroutines. None means OK.
	Choose func(name string) Fault
}

func (c Config) withDefaults() Config {
	if c.Region == "" {
		c.Region = "eu-west-1"
	}
	if c.Account == "" {
		c.Account = "123456789012"
	}
	if c.Partition == "" {
		c.Partition = "aws"
	}
	return c
}

// Parse reads a Config from JSON:
//
//	{
//	  "region": "eu-west-1", "account": "123456789012", "partition": "aws",
//	  "delay": "40ms", "plain": false,
//	  "certificate": "expired", "hosts": ["secretsmanager.eu-west-1.amazonaws.com"],
//	  "secrets": {
//	    "prod/db":  {"json": {"user": "app"}, "version": "v1", "stages": ["AWSCURRENT"]},
//	    "prod/tls": {"binary": "AAEC", "delay": "10ms", "arn": "arn:aws:secretsmanager:…"},
//	    "prod/api": {"versions": [{"string": "new"}, {"string": "old", "stages": ["AWSPREVIOUS"]}]},
//	    "prod/off": {"faults": ["throttled", "ok"]}
//	  }
//	}
//
// A value is a string, binary in base64, or json that becomes the secret's text
// as it is written. Everything may be left out; a field that is not listed here
// is an error. Secrets are in order of their names.
func Parse(text []byte) (Config, error) {
	var parsed configJSON
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&parsed); err != nil {
		return Config{}, fmt.Errorf("parse the description of a secrets manager: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("parse the description of a secrets manager: something follows it")
	}
	return parsed.config()
}

type configJSON struct {
	Region      string                `json:"region"`
	Account     string                `json:"account"`
	Partition   string                `json:"partition"`
	Delay       duration              `json:"delay"`
	Plain       bool                  `json:"plain"`
	Certificate Certificate           `json:"certificate"`
	Hosts       []string              `json:"hosts"`
	Secrets     map[string]secretJSON `json:"secrets"`
}

type secretJSON struct {
	versionJSON
	ARN      string        `json:"arn"`
	Versions []versionJSON `json:"versions"`
	Delay    duration      `json:"delay"`
	Faults   []Fault       `json:"faults"`
}

type versionJSON struct {
	Version string          `json:"version"`
	Stages  []string        `json:"stages"`
	String  *string         `json:"string"`
	Binary  []byte          `json:"binary"`
	JSON    json.RawMessage `json:"json"`
}

// duration is a time.Duration as text, "40ms".
type duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

func (c configJSON) config() (Config, error) {
	config := Config{
		Region:      c.Region,
		Account:     c.Account,
		Partition:   c.Partition,
		Delay:       time.Duration(c.Delay),
		PlainHTTP:   c.Plain,
		Certificate: c.Certificate,
		Hosts:       c.Hosts,
	}
	for _, name := range slices.Sorted(maps.Keys(c.Secrets)) {
		s, err := c.Secrets[name].secret(name)
		if err != nil {
			return Config{}, fmt.Errorf("secret %q: %w", name, err)
		}
		config.Secrets = append(config.Secrets, s)
	}
	return config, nil
}

func (s secretJSON) secret(name string) (Secret, error) {
	out := Secret{Name: name, ARN: s.ARN, Delay: time.Duration(s.Delay), Faults: s.Faults}
	versions := s.Versions
	if !s.versionJSON.empty() {
		versions = slices.Insert(slices.Clone(versions), 0, s.versionJSON)
	}
	for _, v := range versions {
		version, err := v.parsed()
		if err != nil {
			return Secret{}, err
		}
		out.Versions = append(out.Versions, version)
	}
	return out, nil
}

func (v versionJSON) empty() bool {
	return v.Version == "" && v.Stages == nil && v.values() == 0
}

// values returns how many values v states.
func (v versionJSON) values() int {
	n := 0
	for _, given := range []bool{v.String != nil, v.Binary != nil, v.JSON != nil} {
		if given {
			n++
		}
	}
	return n
}

func (v versionJSON) parsed() (Version, error) {
	if v.values() != 1 {
		return Version{}, errors.New("a version has one of string, binary, json")
	}
	out := Version{ID: v.Version, Stages: v.Stages, String: v.String, Binary: v.Binary}
	if v.JSON != nil {
		out.String = new(string(v.JSON))
	}
	return out, nil
}
