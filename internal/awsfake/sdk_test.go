package awsfake_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"secretwrap/internal/awsfake"
)

// sdk calls the server as a program would: through AWS's own client.
func sdk(server *awsfake.Server) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		Region:       "eu-west-1",
		BaseEndpoint: new(server.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "key", "token"),
		HTTPClient:   client(server),
		Retryer:      aws.NopRetryer{},
	})
}

func get(ctx context.Context, server *awsfake.Server, id string) (*secretsmanager.GetSecretValueOutput, error) {
	return sdk(server).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
}

func TestTheSDKReadsAnAnswer(t *testing.T) {
	server := start(t, awsfake.Config{Secrets: []awsfake.Secret{
		{Name: "text", Versions: []awsfake.Version{{ID: "v1", String: new("open sesame")}}},
		{Name: "bytes", Versions: []awsfake.Version{{Binary: []byte{0, 0xff}}}},
	}})
	text, err := get(t.Context(), server, "text")
	if err != nil {
		t.Fatal(err)
	}
	if *text.SecretString != "open sesame" || text.SecretBinary != nil || *text.Name != "text" || *text.VersionId != "v1" || len(text.VersionStages) != 1 {
		t.Errorf("the SDK read %s %s %s %v", *text.SecretString, *text.Name, *text.VersionId, text.VersionStages)
	}
	if text.CreatedDate == nil || text.CreatedDate.IsZero() || *text.ARN == "" {
		t.Errorf("created %v, ARN %q", text.CreatedDate, *text.ARN)
	}
	binary, err := get(t.Context(), server, *text.ARN)
	if err != nil || *binary.SecretString != "open sesame" {
		t.Errorf("by ARN: %v", err)
	}
	binary, err = get(t.Context(), server, "bytes")
	if err != nil || string(binary.SecretBinary) != "\x00\xff" || binary.SecretString != nil {
		t.Errorf("binary: %v", err)
	}
	scope := awsfake.Signature{Signed: true, AccessKeyID: "AKIDEXAMPLE", Region: "eu-west-1", Service: "secretsmanager"}
	for _, c := range server.Calls() {
		if c.Signature.Date == "" {
			t.Error("the signature has no date")
		}
		c.Signature.Date = ""
		if c.Signature != scope || !c.SecurityToken || c.Action != "GetSecretValue" {
			t.Errorf("call = %+v", c)
		}
	}
}

func TestTheSDKUnderstandsEachRefusal(t *testing.T) {
	tests := map[awsfake.Fault]string{
		awsfake.Throttled:          "ThrottlingException",
		awsfake.Denied:             "AccessDeniedException",
		awsfake.KMSDenied:          "AccessDeniedException",
		awsfake.DecryptionFailure:  "DecryptionFailure",
		awsfake.NotFound:           "ResourceNotFoundException",
		awsfake.PendingDeletion:    "InvalidRequestException",
		awsfake.ExpiredToken:       "ExpiredTokenException",
		awsfake.UnrecognizedClient: "UnrecognizedClientException",
		awsfake.InvalidSignature:   "InvalidSignatureException",
		awsfake.Internal:           "InternalServiceError",
		awsfake.UnknownCode:        "FlyingSaucerException",
	}
	for fault, code := range tests {
		_, err := get(t.Context(), plain(t, fault), "prod/db")
		refusal, ok := errors.AsType[smithy.APIError](err)
		if !ok || refusal.ErrorCode() != code || refusal.ErrorMessage() == "" {
			t.Errorf("%s: error %v, want the code %s", fault, err, code)
		}
	}
	_, err := get(t.Context(), plain(t), "nope")
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("unknown secret: error %v", err)
	}
}

func TestTheSDKCannotReadWhatIsNoAnswer(t *testing.T) {
	for _, fault := range []awsfake.Fault{
		awsfake.DeniedXML, awsfake.Unavailable, awsfake.ErrorHTML, awsfake.Redirect, awsfake.Reset, awsfake.Close,
		awsfake.Truncated, awsfake.WrongTypes, awsfake.BadBase64, awsfake.HTML, awsfake.Gzip,
	} {
		if _, err := get(t.Context(), plain(t, fault), "prod/db"); err == nil {
			t.Errorf("%s: no error", fault)
		}
	}
}
