// Command probe is what a measurement runs beside the program it measures. It
// is small, because what starts a process counts as that process's memory until
// its first exec.
//
//	probe measure PROGRAM [ARGUMENT…]  run a program and print what it took
//	probe exec PROGRAM [ARGUMENT…]     execute a program and do nothing else
//	probe now                          print the time in nanoseconds
package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

func main() {
	now := time.Now()
	if err := run(now, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(now time.Time, args []string) error {
	switch {
	case len(args) == 2 && args[1] == "now":
		_, err := fmt.Println(now.UnixNano())
		return err
	case len(args) > 2 && args[1] == "exec":
		return syscall.Exec(args[2], args[2:], os.Environ())
	case len(args) > 2 && args[1] == "measure":
		return measure(args[2:])
	}
	return fmt.Errorf("usage: probe measure|exec PROGRAM [ARGUMENT…], or probe now")
}

// measure prints, after what the program prints, its start and end in
// nanoseconds since 1970, its CPU time in microseconds and its largest resident
// size as the system counts it.
func measure(argv []string) error {
	started := time.Now()
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return err
	}
	var status syscall.WaitStatus
	var usage syscall.Rusage
	if err := wait(pid, &status, &usage); err != nil {
		return err
	}
	took := time.Since(started)
	if status != 0 {
		return fmt.Errorf("%s: wait status %#x", argv[0], uint32(status))
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	_, err = fmt.Println(started.UnixNano(), took.Nanoseconds(), cpu.Microseconds(), usage.Maxrss)
	return err
}

// wait repeats wait4 when a signal interrupts it.
func wait(pid int, status *syscall.WaitStatus, usage *syscall.Rusage) error {
	for {
		_, err := syscall.Wait4(pid, status, 0, usage)
		if err != syscall.EINTR {
			return err
		}
	}
}
