package present

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"secretwrap/internal/inspect"
	"secretwrap/internal/visible"
)

// document is an inspection as programs read it.
type document struct {
	OK bool `json:"ok"`
	// Asked is set if Secrets Manager was.
	Asked    bool      `json:"asked"`
	Dir      string    `json:"directory,omitempty"`
	Items    []item    `json:"items"`
	Problems []trouble `json:"problems"`
	Warnings []warning `json:"warnings"`
	Notes    []string  `json:"notes,omitempty"`
}

type item struct {
	Variable   string      `json:"variable,omitempty"`
	EnvFrom    bool        `json:"envFrom,omitempty"`
	File       string      `json:"file,omitempty"`
	Mode       string      `json:"mode,omitempty"`
	Moved      bool        `json:"movedToFile,omitempty"`
	Optional   bool        `json:"optional,omitempty"`
	Outcome    string      `json:"outcome"`
	Bytes      *int        `json:"bytes,omitempty"`
	References []reference `json:"references"`
}

type reference struct {
	Secret  string `json:"secret"`
	Region  string `json:"region,omitempty"`
	Stage   string `json:"stage,omitempty"`
	Version string `json:"version,omitempty"`
	Path    string `json:"path,omitempty"`
	Type    string `json:"type,omitempty"`
	Bytes   *int   `json:"bytes,omitempty"`
}

type trouble struct {
	ErrorType string `json:"errorType"`
	Source    string `json:"source,omitempty"`
	Line      int    `json:"line,omitempty"`
	Variable  string `json:"variable,omitempty"`
	Secret    string `json:"secret,omitempty"`
	Path      string `json:"path,omitempty"`
	Message   string `json:"message"`
	Hint      string `json:"hint,omitempty"`
}

type warning struct {
	Variable string `json:"variable,omitempty"`
	Message  string `json:"message"`
}

// JSON prints an inspection for programs. Dir and asked are as for Text. The error is
// that of out.
func JSON(out io.Writer, result inspect.Inspection, dir string, asked bool) error {
	d := document{OK: len(result.Problems) == 0, Asked: asked, Items: []item{}, Problems: []trouble{}, Warnings: []warning{}, Notes: result.Notes}
	for _, i := range result.Items {
		d.Items = append(d.Items, newItem(i))
		if i.File != "" {
			d.Dir = dir
		}
	}
	for _, p := range result.Problems {
		d.Problems = append(d.Problems, trouble{p.Class.ErrorType(), p.Source, p.Line, p.Variable, p.Secret, p.Path, p.Error(), p.Hint})
	}
	for _, w := range result.Warnings {
		d.Warnings = append(d.Warnings, warning{w.Label, w.Text})
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return err
	}
	_, err := out.Write(visible.JSON(encoded.Bytes()))
	return err
}

func newItem(i inspect.Item) item {
	encoded := item{
		Variable: i.Variable, EnvFrom: i.Explodes, File: i.File, Moved: i.Moved, Optional: i.Optional, Outcome: string(i.Outcome), Bytes: known(i.Size),
		References: []reference{},
	}
	if i.Mode != 0 {
		encoded.Mode = fmt.Sprintf("%04o", i.Mode)
	}
	for _, r := range i.References {
		encoded.References = append(encoded.References, reference{r.Secret, r.Region, r.Stage, r.Version, r.Path, r.Kind, known(r.Size)})
	}
	return encoded
}

// known leaves out a size that is not known.
func known(size int) *int {
	if size == inspect.Unknown {
		return nil
	}
	return &size
}
