package environ

// MaxEntry is how many bytes one NAME=value may have: Linux's MAX_ARG_STRLEN of
// 32 pages of 4 KiB, with the NUL byte at the end.
const MaxEntry = 128<<10 - 1

const (
	minTotal = 128 << 10
	maxTotal = 6 << 20
	// spare is room for what a program adds before it executes the next one:
	// for a script the kernel itself adds the interpreter and its argument.
	spare = 4 << 10
)

// Limit returns how many bytes, as Size counts them, Linux takes in one execve
// under a soft limit of the stack in bytes, less 4 KiB to spare. No limit at all
// is a large number, as RLIM_INFINITY is one. See execve(2), "Limits on size of
// arguments and environment".
func Limit(stackSoftLimit uint64) int {
	return int(min(max(stackSoftLimit/4, minTotal), maxTotal)) - spare
}

// EntrySize returns how many bytes execve counts for one variable.
func EntrySize(name string, length int) int { return len(name) + 1 + length + 1 + pointer }

// pointer is what execve counts for a string beside its bytes.
const pointer = 8

// Size returns how many bytes execve counts: every string with its NUL byte, the
// path among them, and 8 bytes for the pointer to each argument and variable.
func Size(path string, argv, env []string) int {
	size := len(path) + 1
	for _, list := range [][]string{argv, env} {
		for _, s := range list {
			size += len(s) + 1 + pointer
		}
	}
	return size
}
