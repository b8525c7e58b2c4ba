package emulator

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

//go:embed namespace.sh
var namespace string

// Available returns why the emulator cannot run here, nil if it can.
func Available() error {
	cmd := exec.Command("true")
	cmd.SysProcAttr = isolation(false)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("no mount and PID namespaces of our own, try as root: %w", err)
	}
	return nil
}

// isolated returns the command that runs argv with the function's variables, in a
// file system of its own below dir.
func isolated(dir string, fn Function, argv []string) (*exec.Cmd, error) {
	chroot, err := exec.LookPath("chroot")
	if err != nil {
		chroot = "/usr/sbin/chroot" // which is not in everybody's PATH
	}
	for _, sub := range []string{"root", "tmp", "empty"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.Chmod(filepath.Join(dir, "tmp"), 0o777|os.ModeSticky); err != nil {
		return nil, err
	}
	how, etc := "copy", fn.Etc
	if fn.Mounted {
		how = "mount"
	}
	if etc == "" {
		etc = "/etc"
	}
	args := []string{"-c", namespace, "namespace", dir, how, etc}
	for _, source := range []string{fn.Layer, fn.Task, fn.Runtime} {
		if source == "" {
			source = filepath.Join(dir, "empty")
		}
		args = append(args, source)
	}
	args = append(args, fn.Image, fn.QEMU, strconv.FormatInt(fn.Storage, 10))
	inside := []string{chroot, filepath.Join(dir, "root")}
	cmd := exec.Command("sh", slices.Concat(args, fn.Visible, []string{"--"}, fn.environ(), inside, argv)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = isolation(fn.QEMU != "")
	return cmd, nil
}

// isolation returns the attributes of a process that is the first of its PID
// namespace, so that all others end with it, and that ends with this process.
// Users other than root become root in a user namespace of their own, and so does
// root if that is to have its own kinds of programs.
func isolation(users bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true,
	}
	if users || os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return attr
}
