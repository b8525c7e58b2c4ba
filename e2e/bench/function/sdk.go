//go:build sdk

package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// prepare fetches the secrets with AWS's SDK, in parallel if FETCH says so.
func prepare(ctx context.Context, secrets []secret) (handler, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	client := secretsmanager.NewFromConfig(loaded)
	fetch := sequentially
	if os.Getenv("FETCH") == "parallel" {
		fetch = inParallel
	}
	passwords, err := fetch(ctx, secrets, func(ctx context.Context, s secret) (string, error) {
		answer, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.name})
		if err != nil {
			return "", err
		}
		var document struct {
			Password string `json:"password"`
		}
		err = json.Unmarshal([]byte(*answer.SecretString), &document)
		return document.Password, err
	})
	return func(context.Context) (map[string]string, error) { return passwords, nil }, err
}
