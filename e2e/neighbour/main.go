// Command neighbour stands in for the extension of a vendor of observability. It prints
// the variable that NEIGHBOUR_SHOW names as it sees it. If the function's wrapper is
// Datadog's, it opens the proxy to the Runtime API that the wrapper has the runtime
// call, at NEIGHBOUR_PROXY.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"

	"secretwrap/internal/lambdaapi"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "[vendor]", err)
		os.Exit(1)
	}
}

// run lives until SHUTDOWN.
func run(ctx context.Context) error {
	if name := os.Getenv("NEIGHBOUR_SHOW"); name != "" {
		fmt.Printf("[vendor] %s=%s\n", name, os.Getenv(name))
	}
	if os.Getenv("AWS_LAMBDA_EXEC_WRAPPER") == "/opt/datadog_wrapper" {
		if err := openProxy(os.Getenv("NEIGHBOUR_PROXY")); err != nil {
			return err
		}
	}
	extension, err := lambdaapi.New(os.Getenv("AWS_LAMBDA_RUNTIME_API")).RegisterExtension(ctx, filepath.Base(os.Args[0]), lambdaapi.Shutdown)
	if err != nil {
		return err
	}
	_, err = extension.Next(ctx)
	return err
}

// openProxy passes on what comes to address.
func openProxy(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	api := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: os.Getenv("AWS_LAMBDA_RUNTIME_API")})
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("[vendor] passed on", r.URL.Path)
		api.ServeHTTP(w, r)
	}))
	return nil
}
