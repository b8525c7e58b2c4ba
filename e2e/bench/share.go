package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// wholeCore is the memory in MB at which Lambda gives a function one core.
	wholeCore = 1769
	// sharePeriod is how long a share that is used up stays so at most. Measured
	// from inside, Lambda's own is 20 ms; the kernel's usual one is 100 ms.
	sharePeriod = 20 * time.Millisecond
)

// cpuShare is a control group whose processes together get a share of one core.
type cpuShare struct{ dir string }

// hierarchy is a mount of control groups that may limit the CPU.
type hierarchy struct {
	dir     string
	version int
}

// hierarchies reads them from a table of mounts.
func hierarchies(mounts string) []hierarchy {
	var list []hierarchy
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		switch dir, kind, options := fields[1], fields[2], strings.Split(fields[3], ","); {
		case kind == "cgroup" && slices.Contains(options, "cpu"):
			list = append(list, hierarchy{dir, 1})
		case kind == "cgroup2":
			list = append(list, hierarchy{dir, 2})
		}
	}
	return list
}

// newCPUShare makes a group with the CPU that Lambda gives for some memory.
func newCPUShare(memoryMB int) (*cpuShare, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return nil, err
	}
	reasons := []string{"no control group can limit the CPU"}
	for _, h := range hierarchies(string(mounts)) {
		share, err := h.limit(fmt.Sprintf("secretwrap-bench-%d", os.Getpid()), sharePeriod*time.Duration(memoryMB)/wholeCore)
		if err == nil {
			return share, nil
		}
		reasons = append(reasons, err.Error())
	}
	return nil, errors.New(strings.Join(reasons, "; "))
}

// limit makes a group that may use the CPU for quota in each period.
func (h hierarchy) limit(name string, quota time.Duration) (*cpuShare, error) {
	if h.version == 2 {
		// Where that is not allowed it may have been done already.
		_ = control(h.dir, "cgroup.subtree_control", "+cpu")
	}
	share := &cpuShare{filepath.Join(h.dir, name)}
	if err := os.Mkdir(share.dir, 0o755); err != nil {
		return nil, err
	}
	if err := share.set(h.version, quota.Microseconds()); err != nil {
		_ = share.remove()
		return nil, err
	}
	return share, nil
}

func (s *cpuShare) set(version int, quota int64) error {
	period := sharePeriod.Microseconds()
	if version == 2 {
		return control(s.dir, "cpu.max", fmt.Sprintf("%d %d", quota, period))
	}
	if err := control(s.dir, "cpu.cfs_period_us", strconv.FormatInt(period, 10)); err != nil {
		return err
	}
	return control(s.dir, "cpu.cfs_quota_us", strconv.FormatInt(quota, 10))
}

// add puts a process into the group, and what it starts from then on.
func (s *cpuShare) add(pid int) error { return control(s.dir, "cgroup.procs", strconv.Itoa(pid)) }

// remove removes the group, in which no process may be left.
func (s *cpuShare) remove() error { return os.Remove(s.dir) }

// control writes to one of a group's files, which must exist.
func control(dir, name, value string) error {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}
