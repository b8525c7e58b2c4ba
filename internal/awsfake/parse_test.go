package awsfake_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
)

func TestParseReadsEverything(t *testing.T) {
	got, err := awsfake.Parse([]byte(`{
		"region": "us-east-1", "account": "210987654321", "partition": "aws-x",
		"delay": "40ms", "plain": true, "certificate": "expired", "hosts": ["example.test"],
		"secrets": {
			"c": {"faults": ["throttled", "ok"]},
			"a": {"json": {"n": 1.10}, "version": "v1", "stages": ["AWSCURRENT"], "arn": "arn:a", "delay": "1s"},
			"b": {"string": "new", "versions": [{"binary": "/w==", "version": "v0", "stages": ["AWSPREVIOUS"]}]}
		}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := awsfake.Config{
		Region: "us-east-1", Account: "210987654321", Partition: "aws-x",
		Delay: 40 * time.Millisecond, PlainHTTP: true, Certificate: awsfake.Expired, Hosts: []string{"example.test"},
		Secrets: []awsfake.Secret{
			{Name: "a", ARN: "arn:a", Delay: time.Second, Versions: []awsfake.Version{
				{ID: "v1", Stages: []string{"AWSCURRENT"}, String: new(`{"n": 1.10}`)},
			}},
			{Name: "b", Versions: []awsfake.Version{
				{String: new("new")},
				{ID: "v0", Stages: []string{"AWSPREVIOUS"}, Binary: []byte{0xff}},
			}},
			{Name: "c", Faults: []awsfake.Fault{awsfake.Throttled, awsfake.OK}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Parse() = %+v\nwant %+v", got, want)
	}
}

func TestParseRefusesWhatItDoesNotKnow(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"an unknown field":                  {`{"secret": {}}`, "unknown field"},
		"an unknown field of a secret":      {`{"secrets": {"a": {"text": "x"}}}`, "unknown field"},
		"an unknown fault":                  {`{"secrets": {"a": {"faults": ["explode"]}}}`, `unknown fault "explode"`},
		"an unknown certificate":            {`{"certificate": "shiny"}`, `unknown certificate "shiny"`},
		"two values":                        {`{"secrets": {"a": {"string": "x", "json": 1}}}`, `secret "a": a version has one of`},
		"a version without a value":         {`{"secrets": {"a": {"version": "v1"}}}`, `secret "a": a version has one of`},
		"a delay without a unit":            {`{"delay": "40"}`, "missing unit"},
		"something after the description":   {`{} {}`, "something follows"},
		"something that is not JSON at all": {`delay: 40ms`, "parse"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := awsfake.Parse([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
