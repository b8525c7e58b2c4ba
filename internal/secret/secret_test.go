package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"secretwrap/internal/secret"
)

const canary = "CANARY-7f3a91c2"

func TestNothingPrintsASecret(t *testing.T) {
	value := secret.FromString(canary)
	type holder struct {
		Exported   secret.Value
		unexported secret.Value
		pointer    *secret.Value
		list       []secret.Value
		byName     map[string]secret.Value
	}
	h := holder{value, value, &value, []secret.Value{value}, map[string]secret.Value{"a": value}}

	verbs := "vTtbcdoOqxXUeEfFgGsp"
	var out strings.Builder
	for _, flag := range []string{"", "+", "#", "-20", " ", "0"} {
		for _, verb := range verbs {
			format := "%" + flag + string(verb)
			for _, subject := range []any{value, &value, h, &h, []secret.Value{value}, h.byName} {
				fmt.Fprintf(&out, format, subject)
			}
		}
	}
	for _, subject := range []any{value, &value, h, &h} {
		encoded, err := json.Marshal(subject)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(encoded)
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "subject", subject)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "subject", subject)
	}
	var binary bytes.Buffer
	if err := gob.NewEncoder(&binary).Encode(value); err != nil {
		t.Fatal(err)
	}
	out.Write(binary.Bytes())

	printed := out.String()
	for _, form := range []string{
		canary,
		canary[:8],
		fmt.Sprintf("%x", canary),
		fmt.Sprintf("%X", canary),
		strings.Trim(fmt.Sprint([]byte(canary)), "[]"),
	} {
		if strings.Contains(printed, form) {
			t.Errorf("the output holds the secret in the form %q", form)
		}
	}
	if !strings.Contains(printed, secret.Redacted) {
		t.Error("the output never says that something was redacted: the test prints nothing")
	}
}

func TestRevealReturnsTheBytes(t *testing.T) {
	if got := string(secret.FromString(canary).Reveal()); got != canary {
		t.Errorf("Reveal() = %q", got)
	}
	if got := secret.New([]byte(canary)).Len(); got != len(canary) {
		t.Errorf("Len() = %d", got)
	}
	var zero secret.Value
	if zero.Reveal() != nil || zero.Len() != 0 {
		t.Error("the zero Value holds bytes")
	}
}
