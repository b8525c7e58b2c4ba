package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// documents is where the results are that the project publishes.
const documents = "../../docs"

// What is published is what one measurement gave: charts, tables, and the
// sentence in the README.
func TestTheDocumentsShowTheResults(t *testing.T) {
	r, err := load(documents)
	if err != nil {
		t.Fatal(err)
	}
	for name, chart := range r.charts() {
		if read(t, filepath.Join(documents, name)) != chart {
			t.Errorf("docs/%s shows other results than docs/%s: go run ./bench -draw ../docs", name, resultsFile)
		}
	}
	text := read(t, filepath.Join(documents, textFile))
	for name, table := range r.tables() {
		if !strings.Contains(text, opening(name)+table+closing(name)) {
			t.Errorf("docs/%s lacks the table %q of the results, or has another one: go run ./bench -draw ../docs", textFile, name)
		}
	}
	if headline := r.Functions.headline(); !strings.Contains(read(t, "../../README.md"), headline) {
		t.Errorf("README does not say: %s", headline)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
