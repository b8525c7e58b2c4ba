package environ_test

import (
	"strings"
	"testing"

	"secretwrap/internal/environ"
)

func TestValidName(t *testing.T) {
	tests := map[string]bool{
		"A": true, "a": true, "_": true, "_A9": true, "db_Password_2": true, strings.Repeat("A", 300): true,
		"": false, "9A": false, "A B": false, "A-B": false, "A.B": false, "A=B": false, "A\x00": false,
		"É": false, "Aé": false, "A\n": false, "BASH_FUNC_x%%": false, "\xff": false, "Ａ": false,
	}
	for name, want := range tests {
		if got := environ.ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %t", name, got)
		}
	}
}

func TestUpper(t *testing.T) {
	tests := map[string]string{
		"password":             "PASSWORD",
		"dbName":               "DBNAME",
		"db-password.v2":       "DB_PASSWORD_V2",
		"ALREADY_9":            "ALREADY_9",
		"é":                    "_",
		"日本":                   "__",
		"\xff\xfe":             "__",
		"a  b":                 "A__B",
		"9lives":               "9LIVES",
		"":                     "",
		"A=B\x00\n":            "A_B__",
		"\u0131 dotless":       "__DOTLESS",
		"spring.datasource/pw": "SPRING_DATASOURCE_PW",
	}
	for field, want := range tests {
		if got := environ.Upper(field); got != want {
			t.Errorf("Upper(%q) = %q, want %q", field, got, want)
		}
	}
}

// reserved is what Lambda's developer guide lists as reserved, what AWS's SDKs
// read, and the rest of what a secret must never set.
const reserved = `
	_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV
	AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION
	AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME
	AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_LAMBDA_RUNTIME_API
	LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR AWS_LAMBDA_MAX_CONCURRENCY AWS_LAMBDA_METADATA_API
	AWS_LAMBDA_METADATA_TOKEN AWS_LAMBDA_EXEC_WRAPPER ORIGINAL_AWS_LAMBDA_EXEC_WRAPPER
	AWS_LAMBDA_DOTNET_PREJIT AWS_XRAY_DAEMON_ADDRESS AWS_XRAY_CONTEXT_MISSING _AWS_XRAY_DAEMON_ADDRESS
	_LAMBDA_TELEMETRY_LOG_FD AWS_LWA_PORT
	AWS_SECRET_KEY AWS_SECURITY_TOKEN AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME
	AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_EC2_METADATA_SERVICE_ENDPOINT
	AWS_ENDPOINT_URL AWS_ENDPOINT_URL_SECRETS_MANAGER AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
	AWS_CA_BUNDLE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_PROFILE AWS_DATA_PATH
	AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT
	LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT GLIBC_TUNABLES GCONV_PATH DYLD_INSERT_LIBRARIES BASH_FUNC_x
	SECRETWRAP_DIR SECRETWRAP_MANIFEST SECRETWRAP_ANYTHING`

// runsCode is what a secret's author must not choose to set.
const runsCode = `
	PATH HOME SHELL TMPDIR TZ LANG LC_ALL LOCPATH
	NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NPM_CONFIG_REGISTRY npm_config_registry
	PYTHONPATH PYTHONSTARTUP PYTHONHOME RUBYOPT RUBYLIB GEM_PATH BUNDLE_GEMFILE PERL5OPT PERL5LIB PERLLIB
	JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH
	DOTNET_STARTUP_HOOKS CORECLR_PROFILER COMPlus_ReadyToRun GODEBUG GOTRACEBACK PHPRC PHP_INI_SCAN_DIR
	BASH_ENV ENV SHELLOPTS BASHOPTS PS4 IFS CDPATH PROMPT_COMMAND
	HOSTALIASES RES_OPTIONS LOCALDOMAIN MALLOC_CHECK_
	SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
	OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES
	HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy Https_Proxy
	GIT_SSH_COMMAND GIT_EXEC_PATH EDITOR PAGER BROWSER AWS_BEARER_TOKEN_BEDROCK DD_LAMBDA_HANDLER`

// free is what applications call their own.
const free = `
	DB_PASSWORD PASSWORD USERNAME HOST PORT URL DATABASE_URL TOKEN API_KEY AWS_BUCKET AWS_ACCOUNT_ID
	NODE_ENV JAVA_VERSION PGPASSWORD REDIS_URL AWS LD AWS_LAMBDA MY_SECRETWRAP_DIR XLD_PRELOAD
	PROXY_PASSWORD HTTP_PROXY_PASSWORD path home lang env tz`

func TestReservedNamesAreNotLeftToTheOperator(t *testing.T) {
	for _, name := range strings.Fields(reserved) {
		if !environ.Reserved(name) {
			t.Errorf("%s is not reserved", name)
		}
	}
}

func TestTheOperatorButNotTheSecretMaySetWhatRunsCode(t *testing.T) {
	for _, name := range strings.Fields(runsCode) {
		if environ.Reserved(name) {
			t.Errorf("%s is reserved", name)
		}
		if !environ.RunsCode(name) {
			t.Errorf("%s can be set from env_from", name)
		}
	}
}

func TestOrdinaryNamesAreFree(t *testing.T) {
	for _, name := range strings.Fields(free) {
		if environ.Reserved(name) || environ.RunsCode(name) {
			t.Errorf("%s: Reserved %t, RunsCode %t", name, environ.Reserved(name), environ.RunsCode(name))
		}
	}
}
