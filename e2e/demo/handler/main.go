// Command handler is the demo's Lambda function. It reads its configuration as
// any program does, and knows of no secret store.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

// handle returns what the function sees.
func handle() (map[string]string, error) {
	key, err := os.ReadFile(os.Getenv("TLS_KEY_PATH"))
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"API_KEY":      os.Getenv("API_KEY"),
		"DB_PASSWORD":  os.Getenv("DB_PASSWORD"),
		"DATABASE_URL": os.Getenv("DATABASE_URL"),
		"TENANT_ID":    os.Getenv("TENANT_ID"),
		"TLS_KEY_PATH": os.Getenv("TLS_KEY_PATH"),
		"TLS_KEY":      string(key),
	}, nil
}

func main() { lambda.Start(handle) }
