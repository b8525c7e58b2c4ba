package deliver

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"secretwrap/internal/problem"
	"secretwrap/internal/reference"
	"secretwrap/internal/secret"
)

// encode writes a value as a reference wants it.
func encode(v value, encoding reference.Encoding) (value, *miss) {
	content := v.content.Reveal()
	switch {
	case encoding == reference.Plain:
		return v, nil
	case encoding == reference.Base64:
		return value{content: secret.FromString(base64.StdEncoding.EncodeToString(content))}, nil
	case v.binary:
		return value{}, binaryInText()
	case encoding == reference.URL:
		return value{content: secret.FromString(urlEncoded(content))}, nil
	default:
		return value{content: secret.FromString(jsonInside(string(content)))}, nil
	}
}

func binaryInText() *miss {
	return &miss{problem: problem.Problem{
		Class: problem.Invalid, Cause: "the secret is binary, which no text can hold as it is", Hint: "add encode=base64, or deliver it with file",
	}}
}

// urlEncoded writes every byte but the unreserved characters of RFC 3986 as
// %XX. None of Go's own encoders does: QueryEscape makes a blank a plus sign,
// PathEscape leaves @ : & = + as they are.
func urlEncoded(content []byte) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for _, c := range content {
		if isUnreserved(c) {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return out.String()
}

func isUnreserved(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// jsonInside writes the inside of a JSON string.
func jsonInside(content string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	// A string can always be encoded, and a strings.Builder always be written to.
	_ = encoder.Encode(content)
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(out.String(), "\n"), `"`), `"`)
}
