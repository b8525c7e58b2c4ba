package main

import "syscall"

// hideMemory keeps other processes of the same user from reading this one's
// memory and environment in /proc, and the system from writing it to a core file.
// It ends with execve: the program that takes this one's place is as it would be
// without us. Where it is refused nothing is lost that the program does not lose
// anyway.
func hideMemory() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
}
