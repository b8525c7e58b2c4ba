package arn_test

import (
	"testing"

	"secretwrap/internal/arn"
)

func TestASecretsARNIsInThePartitionOfItsRegion(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{
		"eu-west-1": "aws", "us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc",
		"us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f",
	} {
		want := "arn:" + partition + ":secretsmanager:" + region + ":123456789012:secret:prod/db-??????"
		if got := arn.Secret("prod/db", region, "123456789012"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWhatMayBeASuffix(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"prod/db-AbCdE1": true, "prod/db-master": true, "-AbCdE1": true, "prod/db": false, "short": false, "prod/db-AbCdE12": false} {
		if got := arn.IsComplete(text); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
	for text, want := range map[string]bool{"-AbCdE1": true, "": false, "AbCdE1": false, "-AbCdE12": false, "_AbCdE1": false} {
		if got := arn.Completes(text); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}
