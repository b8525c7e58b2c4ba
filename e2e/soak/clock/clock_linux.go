// Package clock shows the copy of a Go program another time of day than the
// machine's.
//
// No namespace does that: those of time shift only the clocks that nobody can set.
// A Go program reads its clock in the vDSO, where nothing can come between. In a
// copy that Patch makes, one byte of the name under which the runtime looks it up
// is another, so that the runtime falls back on the system call. A seccomp filter
// hands that call to a Clock, for the time of day alone. All else of the copy is as
// it was, and so are all other programs: the kernel's own times, such as when a file
// was changed, stay those of the machine.
package clock

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// symbol is the name of the function in the vDSO, by architecture.
var symbol = map[string]string{"amd64": "__vdso_clock_gettime", "arm64": "__kernel_clock_gettime"}

// Patch copies a Go program, so that the copy asks the kernel for the time.
func Patch(from, to string) error {
	name, known := symbol[runtime.GOARCH]
	if !known {
		return errors.New("nothing is known of the clock of programs for " + runtime.GOARCH)
	}
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if n := bytes.Count(program, []byte(name)); n != 1 {
		return fmt.Errorf("%s names %s %d times, not once", from, name, n)
	}
	other := name[:len(name)-1] + "_"
	return os.WriteFile(to, bytes.Replace(program, []byte(name), []byte(other), 1), 0o755)
}

// Run runs argv in the place of this process, under a filter that hands readings of
// the clock to the Clock that listens on socket. It returns only an error.
func Run(socket string, argv, env []string) error {
	// Of this thread alone, which is the one that lives on.
	runtime.LockOSThread()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket})
	if err != nil {
		return err
	}
	defer conn.Close()
	listener, err := install()
	if err != nil {
		return fmt.Errorf("install a seccomp filter: %w", err)
	}
	if _, _, err := conn.WriteMsgUnix([]byte{0}, unix.UnixRights(listener), nil); err != nil {
		return err
	}
	// Not before the Clock has it, lest a program ask when nobody answers.
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return err
	}
	_ = unix.Close(listener)
	return syscall.Exec(argv[0], argv, env)
}

// install installs the filter for this thread and what it becomes, and returns the
// descriptor that tells of readings.
func install() (int, error) {
	const number, argument = 0, 16 // in struct seccomp_data; the lower half of the first argument
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_CLOCK_GETTIME, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: argument},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.CLOCK_REALTIME, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	// Without it only a process that may do everything may install a filter.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}

// Clock answers the programs that Run runs.
type Clock struct {
	socket *net.UnixListener
	ahead  atomic.Int64 // in nanoseconds
	read   atomic.Int64
}

// Listen returns a clock on a socket, which must not exist.
func Listen(socket string) (*Clock, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		return nil, err
	}
	c := &Clock{socket: listener}
	go c.accept()
	return c, nil
}

// Close lets nobody new ask. Who asks already is answered to its end.
func (c *Clock) Close() error { return c.socket.Close() }

// Step sets the clock forward, or back by a negative duration.
func (c *Clock) Step(by time.Duration) { c.ahead.Add(int64(by)) }

// Ahead returns by how much the clock is ahead of the machine's.
func (c *Clock) Ahead() time.Duration { return time.Duration(c.ahead.Load()) }

// Readings returns how often this clock was read, not the machine's.
func (c *Clock) Readings() int64 { return c.read.Load() }

func (c *Clock) accept() {
	for {
		conn, err := c.socket.AcceptUnix()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			if fd, err := receive(conn); err == nil {
				defer unix.Close(fd)
				c.serve(conn, fd)
			}
		}()
	}
}

// receive receives a descriptor.
func receive(conn *net.UnixConn) (int, error) {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 1), control)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return 0, errors.Join(errors.New("no descriptor came"), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, errors.Join(errors.New("no descriptor came"), err)
	}
	return fds[0], nil
}

// notification is struct seccomp_notif.
type notification struct {
	id          uint64
	pid, flags  uint32
	number      int32
	arch        uint32
	instruction uint64
	arguments   [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	value int64
	err   int32
	flags uint32
}

// serve answers until nothing is left that could ask.
func (c *Clock) serve(conn *net.UnixConn, fd int) {
	if _, err := conn.Write([]byte{0}); err != nil {
		return
	}
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(poll, -1); err == unix.EINTR {
			continue
		} else if err != nil {
			return
		}
		if poll[0].Revents&unix.POLLIN != 0 {
			c.answer(fd)
		}
		if poll[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
			return
		}
	}
}

// answer answers one reading. Who asked may have been killed meanwhile.
func (c *Clock) answer(fd int) {
	var asked notification
	if control(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&asked)) != nil {
		return
	}
	now := unix.NsecToTimespec(time.Now().UnixNano() + c.ahead.Load())
	text := unsafe.Slice((*byte)(unsafe.Pointer(&now)), unsafe.Sizeof(now))
	local := []unix.Iovec{{Base: &text[0], Len: uint64(len(text))}}
	remote := []unix.RemoteIovec{{Base: uintptr(asked.arguments[1]), Len: len(text)}}
	reply := response{id: asked.id}
	if _, err := unix.ProcessVMWritev(int(asked.pid), local, remote, 0); err == nil {
		c.read.Add(1)
	} else {
		reply.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE // with the machine's time
	}
	_ = control(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&reply))
}

// control calls ioctl.
func control(fd int, request uint, argument unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(argument))
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}
