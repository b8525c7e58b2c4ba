package environ

import (
	"slices"
	"strings"
)

// ValidName reports whether name is one that every shell and runtime can read:
// ASCII letters, digits and underscores, the first no digit.
func ValidName(name string) bool {
	if name == "" || isDigit(name[0]) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isUpper(c) && !isLower(c) && !isDigit(c) && c != '_' {
			return false
		}
	}
	return true
}

// Upper turns the name of a field into one for a variable: ASCII letters become
// upper case, any other character than a digit or underscore becomes one
// underscore. The result need not be valid, it may begin with a digit.
func Upper(field string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		default:
			return '_'
		}
	}, field)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Reserved reports whether a variable is never set from a secret, not even when
// the operator asks for it: what Lambda reserves, what chooses the credentials
// and endpoints of AWS's SDKs, what the dynamic loader reads before a program
// begins, and what configures secretwrap.
//
// For Lambda's list see "Reserved environment variables" in its developer
// guide; here it covers the whole families that Lambda takes names from.
func Reserved(name string) bool {
	switch name {
	case "_HANDLER", "AWS_EXECUTION_ENV", "AWS_REGION", "AWS_DEFAULT_REGION",
		"ORIGINAL_AWS_LAMBDA_EXEC_WRAPPER":
		return true
	case "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY",
		"AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME":
		return true
	case "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CREDENTIAL_FILE",
		"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SDK_LOAD_CONFIG", "AWS_DATA_PATH",
		"AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_STS_REGIONAL_ENDPOINTS",
		"AWS_ACCOUNT_ID_ENDPOINT_MODE", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE":
		return true
	case "GLIBC_TUNABLES", "GCONV_PATH":
		return true
	}
	return hasPrefix(name,
		"AWS_LAMBDA_", "LAMBDA_", "_LAMBDA_", "_AWS_", "_X_AMZN_", "AWS_XRAY_", "AWS_LWA_",
		"AWS_CONTAINER_", "AWS_EC2_METADATA_", "AWS_ENDPOINT_URL",
		"LD_", "DYLD_", "BASH_FUNC_", "SECRETWRAP_")
}

// RunsCode reports whether a variable can make a runtime, a shell or a common
// library run code, look for it elsewhere, or trust somebody else. The operator
// may set it from a secret by name. Whoever may write a secret must not choose
// to. What is Reserved is not told here again.
func RunsCode(name string) bool {
	return steersRuntime(name) || steersFramework(strings.ToUpper(name)) || steersShell(name) || steersLibrary(name) || steersTrust(name)
}

// steersRuntime covers the languages, with their package managers and the
// handlers that a vendor's layer loads in place of the function's own.
func steersRuntime(name string) bool {
	if slices.Contains([]string{
		"NODE_OPTIONS", "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "NODE_V8_COVERAGE", "NODE_COMPILE_CACHE", "BUN_OPTIONS",
		"NODE_CHANNEL_FD", "NODE_UNIQUE_ID", "NODE_ICU_DATA", "NODE_REDIRECT_WARNINGS",
		"NODE_DEBUG", "NODE_DEBUG_NATIVE", // which print what others send
		"RUBYOPT", "RUBYLIB", "RUBYSHELL", "RUBYGEMS_GEMDEPS", "PERLLIB", "PHPRC", "PHP_INI_SCAN_DIR",
		"R_HOME", "R_PROFILE", "R_PROFILE_USER", "R_ENVIRON", "R_ENVIRON_USER", "R_LIBS", "R_LIBS_USER",
		"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "JAVA_HOME", "CLASSPATH",
		"GODEBUG", "GOTRACEBACK", "GOCOVERDIR", "GOFLAGS",
		"ORIG_HANDLER", "DD_LAMBDA_HANDLER", "LUMIGO_ORIGINAL_HANDLER", "NEW_RELIC_LAMBDA_HANDLER",
		"SENTRY_INITIAL_HANDLER", "GUNICORN_CMD_ARGS", "ELIXIR_ERL_OPTIONS", "PSModulePath", "BOOTSNAP_CACHE_DIR",
	}, name) {
		return true
	}
	return strings.HasSuffix(name, "_JAVA_OPTIONS") || strings.HasSuffix(name, "_OPTS") ||
		hasPrefix(name, "PYTHON", "PIP_", "GEM_", "BUNDLE_", "BUNDLER_", "PERL5", "LUA_", "DENO_", "TS_NODE_", "ERL_", "JULIA_",
			"DOTNET_", "CORECLR_", "COR_", "COMPlus_", "MONO_") ||
		hasPrefix(strings.ToUpper(name), "NPM_CONFIG_")
}

// steersFramework covers what frameworks read, some of them in any case: where their
// configuration and code lie, and what they evaluate.
func steersFramework(name string) bool {
	if slices.Contains([]string{
		"ASPNETCORE_HOSTINGSTARTUPASSEMBLIES", "SPRING_APPLICATION_JSON", "LOGGING_CONFIG", "MAIN_CLASS",
		"MICRONAUT_CONFIG_FILES", "QUARKUS_LAMBDA_HANDLER", "QUARKUS_CONFIG_LOCATIONS", "DJANGO_SETTINGS_MODULE", "MPLBACKEND",
		"MATPLOTLIBRC", "FLASK_APP", "CELERY_CONFIG_MODULE", "CELERY_LOADER", "SETTINGS_FILE_FOR_DYNACONF",
		"OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE", "NEW_RELIC_HOME", "NEW_RELIC_CONFIG_FILE",
	}, name) {
		return true
	}
	return hasPrefix(name, "SPRING_CONFIG_", "SPRING_CLOUD_", "SPRING_MAIN_", "LOG4J_", "OTEL_JAVAAGENT_", "OTEL_PYTHON_")
}

// steersShell covers shells, the C library and the programs that others start.
func steersShell(name string) bool {
	if slices.Contains([]string{
		"PATH", "HOME", "SHELL", "TMPDIR", "TMP", "TEMP", "TZ", "TZDIR",
		"BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "PS4", "IFS", "CDPATH", "PROMPT_COMMAND", "ZDOTDIR",
		"LANG", "LANGUAGE", "LOCPATH", "NLSPATH", "GETCONF_DIR",
		"HOSTALIASES", "RES_OPTIONS", "LOCALDOMAIN",
		"EDITOR", "VISUAL", "PAGER", "MANPAGER", "LESSOPEN", "LESSCLOSE", "BROWSER", "SSH_ASKPASS",
		"TAR_OPTIONS", "RSYNC_RSH", "BASH_LOADABLES_PATH", "WGETRC",
	}, name) {
		return true
	}
	return hasPrefix(name, "LC_", "MALLOC_", "GIT_", "XDG_")
}

// steersLibrary covers common libraries and tools that load modules, or run what a
// file of theirs names.
func steersLibrary(name string) bool {
	return slices.Contains([]string{
		"LIBMYSQL_PLUGINS", "LIBMYSQL_PLUGIN_DIR", "ODBCINI", "ODBCINSTINI", "ODBCSYSINI", "SASL_PATH", "GDAL_DRIVER_PATH",
		"MAGICK_HOME", "MAGICK_CONFIGURE_PATH", "MAGICK_CODER_MODULE_PATH", "MAGICK_FILTER_MODULE_PATH", "GS_LIB", "GS_OPTIONS",
		"GIO_EXTRA_MODULES", "GIO_MODULE_DIR", "GST_PLUGIN_PATH", "GST_PLUGIN_SYSTEM_PATH", "KUBECONFIG", "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
		"LIBGL_DRIVERS_PATH", "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "OCL_ICD_FILENAMES", "CHROME_DEVEL_SANDBOX", "IMAGEIO_FFMPEG_EXE",
	}, name) || strings.HasSuffix(name, "_EXECUTABLE_PATH") || strings.HasSuffix(name, "_ENGINE_LIBRARY") || strings.HasSuffix(name, "_ENGINE_BINARY")
}

// steersTrust covers proxies, certificate authorities and key logs.
func steersTrust(name string) bool {
	if slices.Contains([]string{
		"SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CURL_HOME",
		"NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
		"OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "KRB5_CONFIG", "BOTO_CONFIG", "NODE_USE_ENV_PROXY", "DD_TRACE_AGENT_URL", "DD_AGENT_HOST", "NEW_RELIC_HOST",
		"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "LDAPCONF", "LDAPTLS_REQCERT", "LDAPTLS_CACERT", "LDAPTLS_CACERTDIR",
	}, name) {
		return true
	}
	if strings.HasPrefix(name, "AWS_") && strings.HasSuffix(name, "_ENDPOINT") || strings.HasPrefix(name, "AWS_BEARER_TOKEN_") {
		return true
	}
	if strings.HasPrefix(name, "OTEL_EXPORTER_") && (strings.HasSuffix(name, "_ENDPOINT") || strings.HasSuffix(name, "_CERTIFICATE")) {
		return true
	}
	switch strings.ToUpper(name) {
	case "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "GRPC_PROXY", "FTP_PROXY":
		return true
	}
	return false
}

func hasPrefix(name string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
