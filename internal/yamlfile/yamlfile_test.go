package yamlfile_test

import (
	"strings"
	"testing"

	"secretwrap/internal/yamlfile"
)

func TestWhereALongFileIsWrong(t *testing.T) {
	t.Parallel()
	filler := strings.Repeat("a: b # "+strings.Repeat("x", 100)+"\n", 3000)
	tests := []struct {
		name, data  string
		least, most int
	}{
		{"a short file", "a: b\nc: d: e\n", 2, 2},
		{"a long file", filler + "\tx: y\n", 2990, 3010},
		{"a long file, without a line in the library's words", filler + "c: *nope\n", 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, fault := yamlfile.Decode([]byte(test.data))
			if fault == nil || fault.Line < test.least || fault.Line > test.most || fault.Hint == "" {
				t.Errorf("got %+v", fault)
			}
		})
	}
}
