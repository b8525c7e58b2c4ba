//go:build linux

package e2e_test

import (
	"net/http"
	"net/url"
)

// What the names of Secrets Manager's hosts end with. In all
// partitions but the newest they are the same for dual-stack.
const (
	usual              = ".amazonaws.com" // GovCloud's too
	china              = ".amazonaws.com.cn"
	isolated           = ".c2s.ic.gov"
	sovereign          = ".amazonaws.eu"
	sovereignDualStack = ".api.amazonwebservices.eu"
)

// vpcEndpoint is the address of an interface endpoint in a VPC without private DNS.
const vpcEndpoint = "https://vpce-0123456789abcdef0-abcdefgh.secretsmanager.eu-west-1.vpce.amazonaws.com"

// proxyPassword holds characters that the address of a proxy must escape.
const proxyPassword = "p@ss:word7Qx2"

// route is how a function is configured, and which way its requests take then.
type route struct {
	// region is the function's; empty means eu-west-1.
	region          string
	fips, dualStack bool
	// env are further variables, separated by blanks. In them $PORT is the server's,
	// and $PROXY the address of the proxy, which HTTPS_PROXY names anyway.
	env string
	// endpoint is the address that env puts in place of the region's own.
	endpoint string
	// direct is set when the proxy must not be asked.
	direct bool
	// login is the name and password by which the proxy must know the function.
	login string
	// refusal is the status with which the proxy turns the function away.
	refusal int
	// stopped is why the function must not start, empty if it must.
	stopped string
	want    []errand
}

// errand is a secret that the function refers to, and where it must be asked for.
type errand struct {
	// id is its name, its ARN, or its ARN without the suffix.
	id     string
	region string
	// zone is what the host's name must end with, where no endpoint replaces it.
	zone string
}

// routes returns the ways to Secrets Manager.
func routes() map[string]route {
	local := []errand{{"prod/db", "eu-west-1", usual}}
	localARN := []errand{{"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf", "eu-west-1", usual}}
	elsewhere := []errand{{"arn:aws:secretsmanager:us-east-2:123456789012:secret:prod/db-AbCdEf", "us-east-2", usual}}
	return map[string]route{
		"a name":                   {want: local},
		"a name in us-east-1":      {region: "us-east-1", want: []errand{{"prod/db", "us-east-1", usual}}},
		"an ARN":                   {want: localARN},
		"an ARN of another region": {want: elsewhere},
		"an ARN of another account": {want: []errand{
			{"arn:aws:secretsmanager:eu-west-1:210987654321:secret:prod/db-AbCdEf", "eu-west-1", usual},
		}},
		"an ARN of another account without its suffix": {want: []errand{
			{"arn:aws:secretsmanager:eu-west-1:210987654321:secret:prod/db", "eu-west-1", usual},
		}},
		"an ARN of another account and region without its suffix": {want: []errand{
			{"arn:aws:secretsmanager:ap-southeast-2:210987654321:secret:prod/db", "ap-southeast-2", usual},
		}},
		"two regions": {want: []errand{
			{"prod/api", "eu-west-1", usual},
			{"arn:aws:secretsmanager:us-east-2:123456789012:secret:prod/db-AbCdEf", "us-east-2", usual},
		}},

		"GovCloud, a name": {region: "us-gov-west-1", want: []errand{{"prod/db", "us-gov-west-1", usual}}},
		"GovCloud, an ARN of another region": {region: "us-gov-west-1", want: []errand{
			{"arn:aws-us-gov:secretsmanager:us-gov-east-1:123456789012:secret:prod/db-AbCdEf", "us-gov-east-1", usual},
		}},
		"China, a name": {region: "cn-north-1", want: []errand{{"prod/db", "cn-north-1", china}}},
		"China, an ARN of another region": {region: "cn-north-1", want: []errand{
			{"arn:aws-cn:secretsmanager:cn-northwest-1:123456789012:secret:prod/db-AbCdEf", "cn-northwest-1", china},
		}},
		"an isolated partition, an ARN": {region: "us-iso-east-1", want: []errand{
			{"arn:aws-iso:secretsmanager:us-iso-east-1:123456789012:secret:prod/db-AbCdEf", "us-iso-east-1", isolated},
		}},
		"the European Sovereign Cloud, a name": {region: "eusc-de-east-1", want: []errand{{"prod/db", "eusc-de-east-1", sovereign}}},
		"the European Sovereign Cloud, an ARN": {region: "eusc-de-east-1", want: []errand{
			{"arn:aws-eusc:secretsmanager:eusc-de-east-1:123456789012:secret:prod/db-AbCdEf", "eusc-de-east-1", sovereign},
		}},

		"FIPS":                           {region: "us-east-1", fips: true, want: []errand{{"prod/db", "us-east-1", usual}}},
		"FIPS, an ARN of another region": {region: "us-east-1", fips: true, want: elsewhere},
		"FIPS in GovCloud":               {region: "us-gov-west-1", fips: true, want: []errand{{"prod/db", "us-gov-west-1", usual}}},
		"dual-stack":                     {dualStack: true, want: local},
		"dual-stack in China":            {region: "cn-north-1", dualStack: true, want: []errand{{"prod/db", "cn-north-1", china}}},
		"dual-stack in the European Sovereign Cloud": {region: "eusc-de-east-1", dualStack: true, want: []errand{
			{"prod/db", "eusc-de-east-1", sovereignDualStack},
		}},
		"FIPS and dual-stack": {region: "us-east-1", fips: true, dualStack: true, want: elsewhere},
		"FIPS and dual-stack in the European Sovereign Cloud": {region: "eusc-de-east-1", fips: true, dualStack: true, want: []errand{
			{"prod/db", "eusc-de-east-1", sovereignDualStack},
		}},

		"an interface endpoint":         {env: "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + vpcEndpoint, endpoint: vpcEndpoint, want: local},
		"an interface endpoint, an ARN": {env: "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + vpcEndpoint, endpoint: vpcEndpoint, want: localARN},
		"an interface endpoint named after another region": {
			region: "us-east-2", env: "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + vpcEndpoint, endpoint: vpcEndpoint, want: elsewhere,
		},
		"an endpoint for every service": {env: "AWS_ENDPOINT_URL=https://aws.example:8443", endpoint: "https://aws.example:8443", want: local},
		"the service's endpoint beside one for every service": {
			env: "AWS_ENDPOINT_URL=https://aws.example AWS_ENDPOINT_URL_SECRETS_MANAGER=" + vpcEndpoint, endpoint: vpcEndpoint, want: local,
		},
		"endpoints that are ignored": {
			env:  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true AWS_ENDPOINT_URL=https://aws.example AWS_ENDPOINT_URL_SECRETS_MANAGER=" + vpcEndpoint,
			want: append(elsewhere, errand{"prod/api", "eu-west-1", usual}),
		},
		"LocalStack at an address": {env: "AWS_ENDPOINT_URL=http://127.0.0.1:$PORT HTTP_PROXY=http://$PROXY", endpoint: "http://127.0.0.1:$PORT", direct: true, want: local},
		"LocalStack at localhost":  {env: "AWS_ENDPOINT_URL=http://localhost:$PORT HTTP_PROXY=http://$PROXY", endpoint: "http://localhost:$PORT", direct: true, want: local},

		// All addresses, as one to connect to, mean this machine, and get a proxy.
		"a proxy to this machine":       {env: "AWS_ENDPOINT_URL=https://0.0.0.0:$PORT", endpoint: "https://0.0.0.0:$PORT", want: local},
		"a host in NO_PROXY":            {env: "AWS_ENDPOINT_URL=https://0.0.0.0:$PORT NO_PROXY=0.0.0.0", endpoint: "https://0.0.0.0:$PORT", direct: true, want: local},
		"a host in no_proxy":            {env: "AWS_ENDPOINT_URL=https://0.0.0.0:$PORT no_proxy=.example,0.0.0.0", endpoint: "https://0.0.0.0:$PORT", direct: true, want: local},
		"another host in NO_PROXY":      {env: "NO_PROXY=169.254.169.254,.internal,s3.eu-west-1.amazonaws.com", want: local},
		"https_proxy":                   {env: "HTTPS_PROXY= https_proxy=http://$PROXY", want: local},
		"a proxy that is told who asks": {env: withLogin("$PROXY"), login: "app:" + proxyPassword, want: local},

		"a proxy that forbids":             {env: withLogin("$PROXY"), login: "app:" + proxyPassword, refusal: http.StatusForbidden, stopped: "the proxy refused the connection: HTTP 403", want: local},
		"a proxy that wants another login": {env: withLogin("$PROXY"), login: "app:" + proxyPassword, refusal: http.StatusProxyAuthRequired, stopped: "the proxy refused the connection: HTTP 407", want: local},
		"a proxy that fails":               {env: withLogin("$PROXY"), login: "app:" + proxyPassword, refusal: http.StatusBadGateway, stopped: "the proxy refused the connection: HTTP 502", want: local},
		"a proxy that is not there":        {env: withLogin("127.0.0.1:1"), direct: true, stopped: "the connection failed", want: local},
	}
}

// withLogin names the proxy at address, with what it is to be told.
func withLogin(address string) string {
	return "SECRETWRAP_TIMEOUT=1s HTTPS_PROXY=http://app:" + url.QueryEscape(proxyPassword) + "@" + address
}
