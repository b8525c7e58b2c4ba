module secretwrap/e2e

go 1.26.5

require (
	github.com/aws/aws-lambda-go v1.55.1
	github.com/rogpeppe/go-internal v1.16.0
	secretwrap v0.0.0
)

require (
	github.com/caarlos0/env/v11 v11.4.2 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/sys v0.26.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)

replace secretwrap => ../
