package awssecrets_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

// outcome is what a caller is told about a call.
type outcome struct {
	class  problem.Class
	retry  awssecrets.Retry
	absent bool
	cause  string
	// hint is part of the hint.
	hint string
}

const unreadable = "the answer cannot be read"

// faults holds what becomes of every fault that is one.
var faults = map[awsfake.Fault]outcome{
	awsfake.Throttled:          {problem.Throttled, awssecrets.Always, false, "throttled", "too many calls"},
	awsfake.Denied:             {problem.Denied, awssecrets.Never, false, "access denied", "arn:aws:secretsmanager:eu-west-1:*:secret:prod/db-??????"},
	awsfake.DeniedXML:          {problem.Denied, awssecrets.Never, false, "access denied", "secretsmanager:GetSecretValue"},
	awsfake.KMSDenied:          {problem.Denied, awssecrets.Never, false, "KMS refused to decrypt the secret", "kms:Decrypt"},
	awsfake.DecryptionFailure:  {problem.Denied, awssecrets.Never, false, "KMS refused to decrypt the secret", "kms:Decrypt"},
	awsfake.NotFound:           {problem.NotFound, awssecrets.Never, true, "no such secret, version or stage in eu-west-1", "another account"},
	awsfake.PendingDeletion:    {problem.NotFound, awssecrets.Never, true, "the secret is scheduled for deletion", "restore-secret"},
	awsfake.ExpiredToken:       {problem.Denied, awssecrets.Renewed, false, "the credentials were refused: ExpiredTokenException", "current"},
	awsfake.UnrecognizedClient: {problem.Denied, awssecrets.Renewed, false, "the credentials were refused: UnrecognizedClientException", "current"},
	awsfake.InvalidSignature:   {problem.Denied, awssecrets.Renewed, false, "the credentials were refused: InvalidSignatureException", "clock"},
	awsfake.Internal:           {problem.Unavailable, awssecrets.Always, false, "Secrets Manager failed: HTTP 500", "try again"},
	awsfake.Unavailable:        {problem.Unavailable, awssecrets.Always, false, "Secrets Manager failed: HTTP 503", "try again"},
	awsfake.ErrorHTML:          {problem.Unavailable, awssecrets.Always, false, "Secrets Manager failed: HTTP 500", "try again"},
	awsfake.UnknownCode:        {problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: FlyingSaucerException", "stage"},
	awsfake.Leaky:              {problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: ValidationException", "stage"},
	awsfake.Redirect:           {problem.Unavailable, awssecrets.Never, false, "the answer is a redirect, which is not followed", "proxy"},
	awsfake.Reset:              {problem.Unavailable, awssecrets.Always, false, "the connection failed", "NAT gateway"},
	awsfake.Close:              {problem.Unavailable, awssecrets.Always, false, "the connection failed", "NAT gateway"},
	awsfake.Truncated:          {problem.Unavailable, awssecrets.Always, false, "the connection failed", "NAT gateway"},
	awsfake.Hang:               {problem.Timeout, awssecrets.Always, false, "no answer in time", "NAT gateway"},
	awsfake.Drip:               {problem.Timeout, awssecrets.Always, false, "no answer in time", "NAT gateway"},
	awsfake.Empty:              {problem.Unavailable, awssecrets.Always, false, "the answer holds no secret", "proxy"},
	awsfake.Nothing:            {problem.Unavailable, awssecrets.Always, false, "the answer holds no secret", "proxy"},
	awsfake.WrongTypes:         {problem.Unavailable, awssecrets.Always, false, unreadable, "proxy"},
	awsfake.WrongSecret:        {problem.Invalid, awssecrets.Never, false, "the answer is about another secret", "whole ARN"},
	awsfake.BadBase64:          {problem.Unavailable, awssecrets.Always, false, unreadable, "proxy"},
	awsfake.NoUnicode:          {problem.Invalid, awssecrets.Never, false, noText, "SecretBinary"},
	awsfake.HTML:               {problem.Unavailable, awssecrets.Always, false, unreadable, "proxy"},
	awsfake.Large:              {problem.Unavailable, awssecrets.Never, false, "the answer is larger than any secret", "proxy"},
	awsfake.Oversized:          {problem.Unavailable, awssecrets.Never, false, "the answer is larger than any secret", "proxy"},
	awsfake.Gzip:               {problem.Unavailable, awssecrets.Never, false, "the answer is compressed, which was not asked for", "proxy"},
}

func TestEveryFaultIsToldApart(t *testing.T) {
	for _, fault := range awsfake.Faults() {
		want, ok := faults[fault]
		if !ok {
			if !slices.Contains([]awsfake.Fault{awsfake.OK, awsfake.Both}, fault) {
				t.Errorf("%s: no test", fault)
			}
			continue
		}
		t.Run(string(fault), func(t *testing.T) {
			inBubble(t, playing(fault), func(t *testing.T, _ *awsfake.Server, client *awssecrets.Client) {
				_, err := client.Get(t.Context(), awssecrets.Request{Secret: "prod/db"}, time.Minute)
				got := asError(t, err)
				wantFailure(t, got, want.class, want.retry, want.cause)
				if got.Absent != want.absent || !strings.Contains(got.Hint, want.hint) {
					t.Errorf("absent %v, hint %q", got.Absent, got.Hint)
				}
				if printed := fmt.Sprintf("%v %+v %#v", got, *got, *got); strings.Contains(printed, canary) {
					t.Errorf("the error holds the secret's value: %s", printed)
				}
			})
		})
	}
}

func TestRefusalsAreReadByCodeElseByStatus(t *testing.T) {
	tests := []struct {
		name          string
		status        int
		code, message string
		want          outcome
	}{
		{"KMS turns a call away", 400, "ThrottlingException", "You have exceeded the rate at which you may call KMS.", faults[awsfake.Throttled]},
		{"KMS turns a call away, in a refusal of Secrets Manager's", 400, "AccessDeniedException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.", faults[awsfake.Throttled]},
		{"KMS turns a call away, with a code of its own", 400, "KMSThrottlingException", "", faults[awsfake.Throttled]},
		{"the key is disabled", 400, "InvalidRequestException", "The KMS key is disabled.", faults[awsfake.DecryptionFailure]},
		{"the key is to be deleted", 400, "InvalidRequestException", "The KMS key is pending deletion.", faults[awsfake.DecryptionFailure]},
		{"the key is disabled, with a code of KMS's", 400, "KMSDisabledException", "", faults[awsfake.DecryptionFailure]},
		{"the key is in no state to decrypt", 400, "KMSInvalidStateException", "arn is pending deletion", faults[awsfake.DecryptionFailure]},
		{"a rate is exceeded under another code", 400, "ClientException", "Rate exceeded", faults[awsfake.Throttled]},
		{"the secret was deleted", 400, "InvalidRequestException", "You can’t perform this operation on the secret because it was deleted.", faults[awsfake.PendingDeletion]},
		{"an emulator says that the secret is marked deleted", 400, "InvalidRequestException", "a secret that's currently marked deleted", faults[awsfake.PendingDeletion]},
		{"the stage is not the version's", 400, "InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.", outcome{problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: InvalidRequestException", "stage"}},
		{"an absence with status 404", 404, "ResourceNotFoundException", "", faults[awsfake.NotFound]},
		{"a denial under a code of a proxy's", 403, "Forbidden", "", faults[awsfake.Denied]},
		{"a denial without a code", 403, "", "", faults[awsfake.Denied]},
		{"no authorization", 401, "", "", faults[awsfake.Denied]},
		{"too many under a code of a proxy's", 429, "Slow", "", faults[awsfake.Throttled]},
		{"too many without a code", 429, "", "", faults[awsfake.Throttled]},
		{"a timeout of a proxy's", 408, "", "", outcome{problem.Unavailable, awssecrets.Always, false, "Secrets Manager failed: HTTP 408", ""}},
		{"an internal error with status 400", 400, "InternalServiceError", "", outcome{problem.Unavailable, awssecrets.Always, false, "Secrets Manager failed: HTTP 400", ""}},
		{"a bad gateway", 502, "", "", outcome{problem.Unavailable, awssecrets.Always, false, "Secrets Manager failed: HTTP 502", ""}},
		{"an unknown code with status 501", 501, "Whatever", "", outcome{problem.Unavailable, awssecrets.Always, false, "Secrets Manager failed: HTTP 501", ""}},
		{"a code that may not be repeated", 400, "<" + canary + ">", canary, outcome{problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: HTTP 400", ""}},
		{"a code that is a value", 400, canary, canary, outcome{problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: HTTP 400", ""}},
		{"a code that is too long", 400, strings.Repeat("A", 65), "", outcome{problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: HTTP 400", ""}},
		{"a code that is called unknown", 400, "UnknownError", canary, outcome{problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: HTTP 400", ""}},
		{"a code behind a namespace", 400, "com.amazonaws.secretsmanager#ResourceNotFoundException", "", faults[awsfake.NotFound]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := failure(t, clientAt(t, answering(t, refusal(test.status, test.code, test.message))), "prod/db")
			wantFailure(t, got, test.want.class, test.want.retry, test.want.cause)
			if got.Absent != test.want.absent || !strings.Contains(got.Hint, test.want.hint) {
				t.Errorf("absent %v, hint %q", got.Absent, got.Hint)
			}
			if strings.Contains(got.Cause+got.Hint, canary) {
				t.Errorf("the error repeats the server's text: %+v", *got)
			}
		})
	}
}

// A proxy, or an emulator, refuses in its own words.
func TestARefusalThatIsNoJSONIsReadByItsStatus(t *testing.T) {
	for status, want := range map[int]outcome{
		400: {problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: HTTP 400", ""},
		403: faults[awsfake.Denied],
		404: {problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: HTTP 404", ""},
		413: {problem.Invalid, awssecrets.Never, false, "Secrets Manager refused the request: HTTP 413", ""},
		429: faults[awsfake.Throttled],
	} {
		for _, body := range []string{"<html>" + canary + "</html>", canary, `["` + canary + `"]`, `{"__type":7,"Message":"` + canary + `"}`, "null", "\x00"} {
			got := failure(t, clientAt(t, answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				fmt.Fprint(w, body)
			})), "prod/db")
			wantFailure(t, got, want.class, want.retry, want.cause)
			if got.Absent || strings.Contains(got.Cause+got.Hint, canary) {
				t.Errorf("%d %q: %+v", status, body, *got)
			}
		}
	}
}

func TestTheRequestIDIsShownIfItIsOne(t *testing.T) {
	tests := map[string]string{
		"a1b2c3d4-0000-4000-8000-0123456789ab": "access denied (request a1b2c3d4-0000-4000-8000-0123456789ab)",
		"":                                     "access denied",
		"<script>":                             "access denied",
		"a b":                                  "access denied",
		strings.Repeat("a", 65):                "access denied",
		canary:                                 "access denied",
		"A1B2C3D4-0000-4000-8000-0123456789AB": "access denied",
		"a1b2c3d4-0000-4000-8000-0123456789a":  "access denied",
	}
	for id, want := range tests {
		endpoint := answering(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("x-amzn-RequestId", id)
			refusal(400, "AccessDeniedException", "")(w, r)
		})
		if got := failure(t, clientAt(t, endpoint), "prod/db"); got.Cause != want {
			t.Errorf("id %q: cause %q", id, got.Cause)
		}
	}
}

func TestADenialNamesWhatAPolicyHasToAllow(t *testing.T) {
	const partial = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db"
	tests := []struct{ region, secret, resource string }{
		{"eu-west-1", "prod/db", "arn:aws:secretsmanager:eu-west-1:*:secret:prod/db-??????"},
		{"cn-north-1", "prod/db", "arn:aws-cn:secretsmanager:cn-north-1:*:secret:prod/db-??????"},
		{"us-gov-west-1", "prod/db", "arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:prod/db-??????"},
		{"eusc-de-east-1", "prod/db", "arn:aws-eusc:secretsmanager:eusc-de-east-1:*:secret:prod/db-??????"},
		{"eu-west-1", partial + "-AbCdEf", partial + "-AbCdEf"},
		{"eu-west-1", partial, partial + "-??????"},
	}
	endpoint := answering(t, refusal(400, "AccessDeniedException", ""))
	for _, test := range tests {
		t.Setenv("AWS_REGION", test.region)
		client := newClient(t, function(map[string]string{"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": test.region}))
		if got := failure(t, client, test.secret); !strings.Contains(got.Hint, " on "+test.resource+" to ") {
			t.Errorf("%s in %s: hint %q", test.secret, test.region, got.Hint)
		}
	}
}
