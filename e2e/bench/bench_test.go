package main

import (
	"testing"
)

func TestSpreadOf(t *testing.T) {
	shuffled := []float64{7, 1, 9, 3, 11, 5, 2, 10, 4, 8, 6}
	if got, want := spreadOf(shuffled, itself), (spread{P10: 2, Median: 6, P90: 10, Max: 11}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := spreadOf([]float64{3}, itself), (spread{3, 3, 3, 3}); got != want {
		t.Errorf("of one value: got %v, want %v", got, want)
	}
}

// A machine that becomes ten times slower must not change what is compared.
func TestCompareWithinRounds(t *testing.T) {
	if got := compare([]float64{2, 20, 200}, []float64{1, 10, 100}, ratio); got != (spread{2, 2, 2, 2}) {
		t.Errorf("got %v, want 2 throughout", got)
	}
}

func TestWayIn(t *testing.T) {
	logs := map[string]string{
		"secretwrap: info: 3 secrets into 3 variables and 0 files: 3 calls, 0 retries, 52 ms, direct [SecretsDelivered]\n02 Jan 2026 [INFO]\n": "direct",
		"EXTENSION\nsecretwrap: info: 1 secret into 1 variable and 0 files: 0 calls, 0 retries, 4 ms, extension [SecretsDelivered]\nSTART\n":   "extension",
		"secretwrap: error: A: secret \"b\": denied [Runtime.SecretAccessDenied]\n":                                                            "",
	}
	for log, want := range logs {
		if got := wayIn(log); got != want {
			t.Errorf("%q: got %q, want %q", log, got, want)
		}
	}
}
