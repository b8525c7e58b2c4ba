package emulator

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// Find returns the path of AWS's Runtime Interface Emulator, or why nothing can run in
// it.
func Find() (string, error) {
	if err := Available(); err != nil {
		return "", err
	}
	named := os.Getenv("AWS_LAMBDA_RIE")
	if path, err := exec.LookPath(cmp.Or(named, "aws-lambda-rie")); err == nil {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "secretwrap", "aws-lambda-rie")
	if _, err := os.Stat(path); err != nil || named != "" {
		return "", errors.New("there is no Runtime Interface Emulator of AWS's: scripts/install-e2e.sh installs it, or set AWS_LAMBDA_RIE to its path")
	}
	return path, nil
}
