package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"secretwrap/internal/awsfake"
)

// showDelivery is the first act: everything is as it should be.
func showDelivery(ctx context.Context, s *stage, out *printer) error {
	out.act("A function reads its environment, and the secrets are there")
	variables := configuration()
	v, err := s.play(ctx, scene{name: "1", env: environment(variables, nil), bootstrap: []string{s.wrapper, s.handler}})
	if err != nil {
		return err
	}
	if v.result.FunctionError != "" {
		return fmt.Errorf("the function failed: %s\n%s", v.result.Payload, v.log)
	}
	var seen map[string]string
	if err := json.Unmarshal(v.result.Payload, &seen); err != nil {
		return err
	}
	out.line("   %-12s what is configured, and %s what the function saw", "", out.paint(green, "→"))
	out.line("   %s %s  %s", out.paint(bold, "AWS_LAMBDA_EXEC_WRAPPER"), out.paint(cyan, "/opt/secretwrap"), out.paint(dim, "(/opt is in the demo's directory)"))
	for _, one := range variables {
		out.variable(one, seen[one.name])
	}
	firstLine, _, _ := strings.Cut(seen["TLS_KEY"], "\n")
	out.value("", firstLine, fmt.Sprintf("the file's first line; mode %04o", v.keyMode))
	if err := checkDelivery(v, variables, seen); err != nil {
		return err
	}
	took, err := duration(v.log)
	if err != nil {
		return err
	}
	out.line("")
	out.heading("Secrets Manager got %s, one for each secret, and answered after %d ms.", out.paint(bold, fmt.Sprintf("%d calls", len(v.calls))), serverDelay.Milliseconds())
	out.heading("The wrapper took %s for everything. The function's log:", out.paint(bold, took+" ms"))
	out.logLines(v.log)
	return nil
}

func checkDelivery(v view, variables []variable, seen map[string]string) error {
	var faults []error
	for _, one := range variables {
		if one.want != "" && seen[one.name] != one.want {
			faults = append(faults, fmt.Errorf("%s should be %q", one.name, one.want))
		}
	}
	if seen["TLS_KEY"] != keyText {
		faults = append(faults, errors.New("the file does not hold the key"))
	}
	if v.keyMode != fs.FileMode(0o400) {
		faults = append(faults, errors.New("the file's mode should be 0400"))
	}
	if want := []string{"prod/api", "prod/db", "prod/tls"}; !slices.Equal(v.calls, want) {
		faults = append(faults, fmt.Errorf("calls of Secrets Manager for %q, want %q", v.calls, want))
	}
	return errors.Join(append(faults, checkSilence(v.log))...)
}

// duration returns the milliseconds that the wrapper says it took.
func duration(log string) (string, error) {
	match := regexp.MustCompile(`(\d+) ms,`).FindStringSubmatch(log)
	if match == nil {
		return "", fmt.Errorf("the log does not tell how long it took:\n%s", log)
	}
	return match[1], nil
}

// showDenial is the third act: a secret is denied.
func showDenial(ctx context.Context, s *stage, out *printer) error {
	out.act("Secrets Manager denies one of them")
	denied := scene{
		name: "3", env: environment(configuration(), nil), bootstrap: []string{s.wrapper, s.handler},
		faults: map[string]awsfake.Fault{"prod/api": awsfake.Denied},
	}
	v, err := s.play(ctx, denied)
	if err != nil {
		return err
	}
	other, err := s.play(ctx, scene{name: "3-exit-only", bootstrap: []string{s.self, exitOnly}})
	if err != nil {
		return err
	}
	out.heading("Whoever invokes the function reads")
	out.callerReads(red, v.result.Payload)
	out.heading("where a wrapper that only exits leaves")
	out.callerReads(dim, other.result.Payload)
	out.heading("The function did not start. Its log says what to do:")
	out.logLines(v.log)
	return errors.Join(
		checkRefusal(v, "Runtime.SecretAccessDenied", "API_KEY"),
		checkRefusal(other, "Runtime.ExitError", "exit status 1"),
		checkLog(v.log, "secretsmanager:GetSecretValue"),
	)
}

// showTypo is the fourth act: a reference that is none.
func showTypo(ctx context.Context, s *stage, out *printer) error {
	const typo, corrected = "secretsmanager:/prod/api", "secretsmanager://prod/api"
	out.act("A reference with a typo never becomes an API key")
	env := environment(configuration(), map[string]string{"API_KEY": typo})
	v, err := s.play(ctx, scene{name: "4", env: env, bootstrap: []string{s.wrapper, s.handler}})
	if err != nil {
		return err
	}
	out.line("   %s %s", out.paint(bold, "API_KEY     "), out.paint(cyan, typo))
	out.heading("As it stands, this text would be the key. Instead the caller reads")
	out.callerReads(red, v.result.Payload)
	out.heading("and the log has what to write. Secrets Manager got %s.", out.paint(bold, fmt.Sprintf("%d calls", len(v.calls))))
	out.logLines(v.log)
	if len(v.calls) > 0 {
		return fmt.Errorf("calls of Secrets Manager for %q, want none", v.calls)
	}
	return errors.Join(
		checkRefusal(v, "Runtime.SecretConfigInvalid", "API_KEY"),
		checkLog(v.log, corrected),
	)
}

// checkRefusal checks that the function did not start, and that its caller
// reads why.
func checkRefusal(v view, errorType, text string) error {
	payload := string(v.result.Payload)
	switch {
	case v.started:
		return errors.New("the function's program should not have been started")
	case v.result.FunctionError != errorType:
		return fmt.Errorf("the caller should read %s, not %s", errorType, payload)
	case !strings.Contains(payload, text):
		return fmt.Errorf("the caller should read of %s, not %s", text, payload)
	}
	return checkSilence(payload + v.log)
}

func checkLog(log string, texts ...string) error {
	for _, text := range append(texts, "[secretwrap] error: ", "[secretwrap] hint: ") {
		if !strings.Contains(log, text) {
			return fmt.Errorf("the log should hold %q:\n%s", text, log)
		}
	}
	return nil
}

// checkSilence checks that text betrays no secret.
func checkSilence(text string) error {
	for _, value := range []string{apiKey, password, "9007199254740993", "invented for this demo", "rotated in this demo"} {
		if strings.Contains(text, value) {
			return errors.New("the log or the caller's answer holds a secret")
		}
	}
	return nil
}
