package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v3"

	"secretwrap/internal/secret"
)

const canary = "CANARY-7f3a91c2"

// holder holds a T in every way in which a struct can.
type holder[T any] struct {
	Exported   T
	unexported T
	Pointer    *T
	pointer    *T
	List       []T
	Array      [1]T
	ByName     map[string]T
	Any        any
	inside     any
}

func holderOf[T any](value T) holder[T] {
	return holder[T]{value, value, &value, &value, []T{value}, [1]T{value}, map[string]T{"a": value}, value, &value}
}

// embedding has the methods of what it embeds.
type embedding struct {
	secret.Value
	Name string
}

// aliased and defined are other names for the type; what is defined has none of its
// methods.
type (
	aliased = secret.Value
	defined secret.Value
)

// subjects returns what somebody could print that holds a secret.
func subjects() []any {
	value := secret.FromString(canary)
	held, embedded := holderOf(value), embedding{value, "name"}
	return []any{
		value, &value, held, &held, []secret.Value{value}, held.ByName, []any{held, &embedded}, embedded, &embedded,
		aliased(value), defined(value), holderOf(defined(value)), holderOf(embedded), map[any]any{"k": value},
		struct{ error }{errors.Join(fmt.Errorf("of %v and %s", value, &value))}, value.Reveal, // a method value is a function
	}
}

// printers returns every way to print that comes to mind. Those that can fail print
// their error too, which may quote what they could not print.
func printers() map[string]func(io.Writer, any) {
	printers := map[string]func(io.Writer, any){
		"print": func(out io.Writer, v any) { fmt.Fprint(out, v) },
		"error": func(out io.Writer, v any) { fmt.Fprint(out, fmt.Errorf("%w, %v", errors.New("of"), v)) },
		"log":   func(out io.Writer, v any) { log.New(out, "", 0).Print(v) },
		"text":  func(out io.Writer, v any) { slog.New(slog.NewTextHandler(out, nil)).Info("text", "subject", v) },
		"group": func(out io.Writer, v any) {
			slog.New(slog.NewJSONHandler(out, nil)).With("with", v).WithGroup("g").Info("json", "subject", v)
		},
		"template": func(out io.Writer, v any) {
			_ = template.Must(template.New("").Parse(`{{.}} {{print .}} {{printf "%x" .}} {{js .}}`)).Execute(out, v)
		},
		"JSON": func(out io.Writer, v any) { fmt.Fprint(out, json.NewEncoder(out).Encode(v)) },
		"XML":  func(out io.Writer, v any) { fmt.Fprint(out, xml.NewEncoder(out).Encode(v)) },
		"gob":  func(out io.Writer, v any) { fmt.Fprint(out, gob.NewEncoder(out).Encode(v)) },
		"YAML": printYAML,
		"walk": func(out io.Writer, v any) { walk(out, reflect.ValueOf(v), 0) },
	}
	for _, flag := range []string{"", "+", "#", "-20", " ", "0", ".20"} {
		for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
			format := "%" + flag + string(verb)
			printers[format] = func(out io.Writer, v any) { fmt.Fprintf(out, format, v) }
		}
	}
	return printers
}

// printYAML prints what YAML can hold; functions make its encoder panic.
func printYAML(out io.Writer, v any) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprint(out, cause)
		}
	}()
	fmt.Fprint(out, yaml.NewEncoder(out).Encode(v))
}

// walk prints whatever reflection leads to, unexported fields included, as printers
// for debugging do.
func walk(out io.Writer, v reflect.Value, depth int) {
	const deepest = 20
	if !v.IsValid() || depth > deepest {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		walk(out, v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			walk(out, v.Field(i), depth+1)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			walk(out, key, depth+1)
			walk(out, v.MapIndex(key), depth+1)
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			fmt.Fprintf(out, "%s\n", v.Bytes())
			return
		}
		for i := range v.Len() {
			walk(out, v.Index(i), depth+1)
		}
	default:
		fmt.Fprintln(out, v.String(), v.Kind())
	}
}

// forms returns how the canary, or the beginning of it, can stand in a text.
func forms() []string {
	forms := []string{canary, strings.Trim(fmt.Sprint([]byte(canary)), "[]")}
	for _, text := range []string{canary, canary[:8]} {
		forms = append(forms, text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), fmt.Sprintf("% x", text), fmt.Sprintf("% X", text))
		for shift := range 3 {
			encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), text...))
			forms = append(forms, encoded[(shift*8+5)/6:(shift+len(text))*8/6])
		}
	}
	return append(forms, fmt.Sprintf("%x", binary.LittleEndian.Uint64([]byte(canary))))
}

func found(printed string) []string {
	return slices.DeleteFunc(forms(), func(form string) bool { return !strings.Contains(printed, form) })
}

func TestNothingPrintsASecret(t *testing.T) {
	for name, print := range printers() {
		var all bytes.Buffer
		for _, subject := range subjects() {
			print(&all, subject)
		}
		if forms := found(all.String()); len(forms) > 0 {
			t.Errorf("%s shows the secret as %q", name, forms)
		}
	}
	var printed bytes.Buffer
	for _, name := range []string{"print", "%+v", "%x", "log", "text", "group", "template", "JSON", "XML", "YAML", "gob"} {
		printed.Reset()
		printers()[name](&printed, secret.FromString(canary))
		if !strings.Contains(printed.String(), secret.Redacted) {
			t.Errorf("%s does not say that something is redacted: %q", name, &printed)
		}
	}
}

// What the test above finds nothing with must find what is no secret.
func TestEveryPrinterPrints(t *testing.T) {
	for name, print := range printers() {
		if strings.HasPrefix(name, "%") && !strings.ContainsAny(name, "vsqxX") {
			continue // for numbers
		}
		var printed bytes.Buffer
		print(&printed, canary)
		if len(found(printed.String())) == 0 {
			t.Errorf("%s does not show a string: %q", name, &printed)
		}
	}
	for _, name := range []string{"%v", "%+v", "walk"} {
		var printed bytes.Buffer
		printers()[name](&printed, struct{ held holder[string] }{holderOf(canary)})
		if len(found(printed.String())) == 0 {
			t.Errorf("%s does not show an unexported field: %q", name, &printed)
		}
	}
}

// TestRevealIsTheOnlyWay fails for a new method or function, which has to be looked at:
// does it give the bytes away?
func TestRevealIsTheOnlyWay(t *testing.T) {
	var methods []string
	for value := reflect.TypeFor[*secret.Value](); len(methods) < value.NumMethod(); {
		methods = append(methods, value.Method(len(methods)).Name)
	}
	want := []string{"Format", "GoString", "Len", "MarshalBinary", "MarshalText", "Reveal", "String"}
	if !slices.Equal(methods, want) {
		t.Errorf("a secret has the methods %q, want %q", methods, want)
	}
	field := reflect.TypeFor[secret.Value]().Field(0)
	if fields := reflect.TypeFor[secret.Value]().NumField(); fields != 1 || field.Type.Kind() != reflect.Func || field.IsExported() {
		t.Errorf("a secret has %d fields, the first of type %v", fields, field.Type)
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
