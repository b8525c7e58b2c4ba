//go:build !sdk

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

// prepare returns a handler that reads the environment, or asks the cache. A
// cache can be asked only by the handler: it is not ready before that.
func prepare(_ context.Context, secrets []secret) (handler, error) {
	cache := os.Getenv("CACHE")
	if cache == "" {
		return func(ctx context.Context) (map[string]string, error) {
			return sequentially(ctx, secrets, func(_ context.Context, s secret) (string, error) { return os.Getenv(s.variable), nil })
		}, nil
	}
	return func(ctx context.Context) (map[string]string, error) {
		return inParallel(ctx, secrets, func(ctx context.Context, s secret) (string, error) { return fromCache(ctx, cache, s) })
	}, nil
}

// fromCache asks the cache as AWS's own one wants to be asked.
func fromCache(ctx context.Context, cache string, s secret) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cache+"/secretsmanager/get?secretId="+url.QueryEscape(s.name), nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Aws-Parameters-Secrets-Token", os.Getenv("AWS_SESSION_TOKEN"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the cache answers %s", response.Status)
	}
	var answer struct{ SecretString string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	var document struct {
		Password string `json:"password"`
	}
	err = json.Unmarshal([]byte(answer.SecretString), &document)
	return document.Password, err
}
