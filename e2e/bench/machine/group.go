package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// WholeCore is the memory in MB at which Lambda gives a function one core.
	WholeCore = 1769
	// Period is how long a share that is used up stays so at most. Measured from
	// inside, Lambda's own is 20 ms; the kernel's usual one is 100 ms.
	Period = 20 * time.Millisecond
	// groupName has the process that made the group, and a memory in MB.
	groupName = "secretwrap-bench-%d-%d"
)

// Group is a control group whose processes have their CPU time counted and, if
// it has a limit, together get a share of one core.
type Group struct {
	// dirs are the group's directories, one in each hierarchy that it needs.
	dirs []string
	// account is the file with the CPU time.
	account string
}

// hierarchy is a mount of control groups, of version 1 or 2.
type hierarchy struct {
	dir     string
	version int
	// limits and counts tell what the hierarchy does with CPU time.
	limits, counts bool
}

// hierarchies reads them from a table of mounts, those of version 2 first.
func hierarchies(mounts string) []hierarchy {
	var list []hierarchy
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		switch dir, kind, options := fields[1], fields[2], strings.Split(fields[3], ","); kind {
		case "cgroup2":
			list = slices.Insert(list, 0, hierarchy{dir, 2, true, true})
		case "cgroup":
			list = append(list, hierarchy{dir, 1, slices.Contains(options, "cpu"), slices.Contains(options, "cpuacct")})
		}
	}
	return list
}

// NewGroup makes a group with the CPU that Lambda gives for some memory, with no
// limit for 0.
func NewGroup(memoryMB int) (*Group, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return nil, err
	}
	g, name := new(Group), fmt.Sprintf(groupName, os.Getpid(), memoryMB)
	reasons := []string{"no control group can limit and count CPU time"}
	limited := memoryMB == 0
	for _, h := range hierarchies(string(mounts)) {
		h.sweep()
		limit, count := h.limits && !limited, h.counts && g.account == ""
		if !limit && !count {
			continue
		}
		done, err := g.join(h, name, limit, memoryMB)
		if err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		limited = limited || done
	}
	if limited && g.account != "" {
		return g, nil
	}
	return nil, errors.Join(errors.New(strings.Join(reasons, "; ")), g.Remove())
}

// sweep removes groups of processes that were killed.
func (h hierarchy) sweep() {
	for _, dir := range left(h.dir) {
		_ = os.Remove(dir) // fails as long as something runs in it
	}
}

// left returns the directories of groups whose process has ended.
func left(dir string) []string {
	all, _ := filepath.Glob(filepath.Join(dir, strings.ReplaceAll(groupName, "%d", "*")))
	return slices.DeleteFunc(all, func(group string) bool {
		var pid, memoryMB int
		_, err := fmt.Sscanf(filepath.Base(group), groupName, &pid, &memoryMB)
		return err != nil || syscall.Kill(pid, 0) != syscall.ESRCH
	})
}

// join makes the group's directory in a hierarchy, and tells whether that limits
// it. A hierarchy that cannot limit may still count.
func (g *Group) join(h hierarchy, name string, limit bool, memoryMB int) (bool, error) {
	dir := filepath.Join(h.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return false, err
	}
	limited := limit && h.limit(dir, Period*time.Duration(memoryMB)/WholeCore) == nil
	if limit && !limited && !h.counts {
		return false, errors.Join(fmt.Errorf("%s cannot limit CPU time", h.dir), os.Remove(dir))
	}
	g.dirs = append(g.dirs, dir)
	if h.counts && g.account == "" {
		g.account = filepath.Join(dir, map[int]string{1: "cpuacct.usage", 2: "cpu.stat"}[h.version])
	}
	return limited, nil
}

// limit lets a group use the CPU for quota in each period.
func (h hierarchy) limit(dir string, quota time.Duration) error {
	period, allowed := Period.Microseconds(), quota.Microseconds()
	if h.version == 2 {
		// Where that is not allowed it may have been done already.
		_ = control(h.dir, "cgroup.subtree_control", "+cpu")
		return control(dir, "cpu.max", fmt.Sprintf("%d %d", allowed, period))
	}
	if err := control(dir, "cpu.cfs_period_us", strconv.FormatInt(period, 10)); err != nil {
		return err
	}
	return control(dir, "cpu.cfs_quota_us", strconv.FormatInt(allowed, 10))
}

// Add puts a process into the group, and what it starts from then on. A nil Group
// takes nobody.
func (g *Group) Add(pid int) error {
	if g == nil {
		return nil
	}
	for _, dir := range g.dirs {
		if err := control(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}

// Used returns the CPU time of all processes that were ever in the group, 0 for a
// nil Group.
func (g *Group) Used() (time.Duration, error) {
	if g == nil {
		return 0, nil
	}
	text, err := os.ReadFile(g.account)
	if err != nil {
		return 0, err
	}
	return parseUsage(string(text))
}

// parseUsage reads nanoseconds from a cpuacct.usage, microseconds from a cpu.stat.
func parseUsage(text string) (time.Duration, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1:
			ns, err := strconv.ParseInt(fields[0], 10, 64)
			return time.Duration(ns), err
		case len(fields) == 2 && fields[0] == "usage_usec":
			us, err := strconv.ParseInt(fields[1], 10, 64)
			return time.Duration(us) * time.Microsecond, err
		}
	}
	return 0, errors.New("no CPU time in the account of the control group")
}

// Remove removes the group, in which no process may be left.
func (g *Group) Remove() error {
	var errs []error
	for _, dir := range g.dirs {
		errs = append(errs, os.Remove(dir))
	}
	return errors.Join(errs...)
}

// control writes to one of a group's files, which must exist.
func control(dir, name, value string) error {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}
