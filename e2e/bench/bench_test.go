package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
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

func TestHierarchies(t *testing.T) {
	mounts := `proc /proc proc rw,nosuid 0 0
tmpfs /sys/fs/cgroup tmpfs ro,mode=755 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0
`
	want := []hierarchy{{"/sys/fs/cgroup/unified", 2}, {"/sys/fs/cgroup/cpu,cpuacct", 1}}
	if got := hierarchies(mounts); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A group that cannot limit the CPU must not stay.
func TestLimitWithoutController(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []int{1, 2} {
		if _, err := (hierarchy{dir, version}).limit("group", time.Millisecond); err == nil {
			t.Errorf("version %d: a directory that is no control group limits the CPU", version)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("version %d: left %v, %v", version, left, err)
		}
	}
}

func TestParseStatus(t *testing.T) {
	got := parseStatus("Name:\tsecretwrap\nPPid:\t17\nUid:\t0\t0\t0\t0\nVmHWM:\t    9048 kB\nVmRSS:\t    8800 kB\n")
	if want := map[string]int64{"PPid": 17, "VmHWM": 9048, "VmRSS": 8800}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
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

func TestNewScale(t *testing.T) {
	for longest, want := range map[float64]scale{
		1: {1, 0.2}, 78: {80, 10}, 160: {160, 20}, 168: {175, 25}, 999: {1000, 200},
	} {
		if got := newScale(longest); got != want {
			t.Errorf("%v: got %v, want %v", longest, got, want)
		}
	}
}

func TestChartIsXML(t *testing.T) {
	var cells []*coldCell
	for i, c := range coldCells(false) {
		c.samples = []coldSample{{init: time.Duration(i+1) * 20 * time.Millisecond}}
		cells = append(cells, c)
	}
	chart := newColdReport(cells, 1, errors.New("not asked for")).chart()
	for decoder := xml.NewDecoder(strings.NewReader(chart)); ; {
		_, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, chart)
		}
	}
	if bars := strings.Count(chart, `<rect class="b`); bars != len(cells) {
		t.Errorf("%d bars, want %d", bars, len(cells))
	}
}
