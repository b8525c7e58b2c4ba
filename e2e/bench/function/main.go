// Command function is a Lambda function in Go that answers with its secrets. How
// it gets them is what the benchmark compares.
//
// As it is, it reads its environment, or asks a cache if CACHE names the address
// of one. Built with the tag sdk it fetches them itself during its
// initialization, as AWS's documentation shows. SECRETS holds their names, NAME
// of the function's variable each: "SECRET_000=bench/1 SECRET_001=bench/2".
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

// secret is one of the function's.
type secret struct{ variable, name string }

// source gets the password of a secret.
type source func(ctx context.Context, s secret) (string, error)

func main() {
	if os.Getenv("TELL") != "" {
		fmt.Fprintln(os.Stderr, "function: main")
	}
	handle, err := prepare(context.Background(), parse(os.Getenv("SECRETS")))
	if err != nil {
		fmt.Fprintln(os.Stderr, "function:", err)
		os.Exit(1)
	}
	lambda.Start(handle)
}

// handler returns the passwords by the names of their variables.
type handler func(ctx context.Context) (map[string]string, error)

func parse(text string) []secret {
	var list []secret
	for field := range strings.FieldsSeq(text) {
		variable, name, _ := strings.Cut(field, "=")
		list = append(list, secret{variable, name})
	}
	return list
}

// sequentially gets one secret after another.
func sequentially(ctx context.Context, secrets []secret, get source) (map[string]string, error) {
	passwords := make(map[string]string)
	for _, s := range secrets {
		password, err := get(ctx, s)
		if err != nil {
			return nil, err
		}
		passwords[s.variable] = password
	}
	return passwords, nil
}

// inParallel gets all secrets at once.
func inParallel(ctx context.Context, secrets []secret, get source) (map[string]string, error) {
	type result struct {
		secret
		password string
		err      error
	}
	results := make(chan result)
	for _, s := range secrets {
		go func() {
			password, err := get(ctx, s)
			results <- result{s, password, err}
		}()
	}
	passwords := make(map[string]string)
	var failed error
	for range secrets {
		r := <-results
		passwords[r.variable] = r.password
		if r.err != nil {
			failed = r.err
		}
	}
	return passwords, failed
}
