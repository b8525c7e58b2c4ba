package handover_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/handover"
)

const (
	childRole = "HANDOVER_TEST_ROLE"
	childDir  = "HANDOVER_TEST_DIR"
)

func TestMain(m *testing.M) {
	role := os.Getenv(childRole)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(role, os.Getenv(childDir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// play does what a child process is for.
func play(role, dir string) error {
	switch role {
	case "both ends without permissions":
		syscall.Umask(0o777)
		return converse(dir)
	case "both ends":
		return converse(dir)
	case "extension":
		return serveUntilTold(dir)
	case "intruder":
		return intrude(dir)
	case "exhausted":
		return exhaust(dir)
	}
	return errors.New("no such role")
}

// converse holds a whole conversation with itself.
func converse(dir string) error {
	server, err := handover.Listen(dir, identity)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(newExtension(document([]byte(canary)))) }()
	client, err := handover.Dial(dir, identity)
	if err != nil {
		return err
	}
	outcomes, err := client.Documents(requests(1), time.Minute)
	if err != nil || string(outcomes[0].Document.Value.Reveal()) != canary {
		return fmt.Errorf("documents: %v, %w", outcomes, err)
	}
	_, err = client.Publish(oneFile())
	<-done
	return err
}

// serveUntilTold is an extension until its input ends.
func serveUntilTold(dir string) error {
	server, err := handover.Listen(dir, identity)
	if err != nil {
		return err
	}
	go server.Serve(newExtension(document([]byte(canary))))
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	server.Close()
	return err
}

// intrude asks as the wrapper does, and prints what it gets.
func intrude(dir string) error {
	conn, err := net.Dial("unix", filepath.Join(dir, "socket"))
	if err != nil {
		return err
	}
	_, _ = conn.Write(frame(`{"Identity":"`+identity+`","Requests":[{"Secret":"x"}]}`, ""))
	got, _ := io.ReadAll(conn) // a reset is an end too
	fmt.Printf("%d bytes: %q\n", len(got), got)
	return nil
}

// exhaust serves where no descriptor is left for accepting.
func exhaust(dir string) error {
	server, err := handover.Listen(dir, identity)
	if err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: 64}); err != nil {
		return err
	}
	last := -1
	for {
		one, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
		if err != nil {
			break
		}
		last = one
	}
	if err := syscall.Close(last); err != nil { // for the wrapper's end
		return err
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(newExtension()) }()
	if err := ask(dir, identity); !errors.Is(err, handover.ErrAlone) {
		return fmt.Errorf("dial: %w", err)
	}
	<-done
	if _, err := os.Lstat(filepath.Join(dir, "socket")); err == nil {
		return errors.New("the socket is still there")
	}
	return nil
}

// child returns the test binary in a role. /proc/self/exe can be executed by a
// user who cannot reach the file that it leads to.
func child(role, dir string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{childRole + "=" + role, childDir + "=" + dir}
	cmd.Stderr = os.Stderr
	return cmd
}

// asNobody makes root's child another user's. Its directory is below one that
// everybody can pass.
func asNobody(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	must(t, os.Chmod(filepath.Dir(dir), 0o711))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

func TestTheUmaskIsInNobodysWay(t *testing.T) {
	for _, role := range []string{"both ends", "both ends without permissions"} {
		t.Run(role, func(t *testing.T) {
			dir := newDir(t)
			cmd := child(role, dir)
			if os.Geteuid() == 0 { // root needs no permissions
				must(t, os.Chown(filepath.Dir(dir), nobody, nobody))
				asNobody(t, cmd, dir)
			}
			must(t, cmd.Run())
		})
	}
}

func TestWithoutDescriptorsNobodyWaits(t *testing.T) {
	must(t, child("exhausted", newDir(t)).Run())
}

func TestAWrapperOfAnotherUserGetsNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to start another user's process")
	}
	served := serve(t, newExtension(document([]byte(canary))))
	// As if the directory had not been in the way.
	must(t, os.Chmod(served.dir, 0o711))
	must(t, os.Chmod(filepath.Join(served.dir, "socket"), 0o666))
	intruder := child("intruder", served.dir)
	asNobody(t, intruder, served.dir)
	output, err := intruder.Output()
	must(t, err)
	if got := string(output); got != "0 bytes: \"\"\n" {
		t.Errorf("the intruder got %s", got)
	}

	must(t, os.Chmod(served.dir, 0o700))
	talk(t, served)
	served.expectEvents(t, "documents", "publish")
}

func TestAnExtensionOfAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to start another user's process")
	}
	dir := newDir(t)
	must(t, os.Chown(filepath.Dir(dir), nobody, nobody))
	foreign := child("extension", dir)
	asNobody(t, foreign, dir)
	input, err := foreign.StdinPipe()
	must(t, err)
	output, err := foreign.StdoutPipe()
	must(t, err)
	must(t, foreign.Start())
	ready := read(t, output, len("ready\n"))
	if !bytes.Equal(ready, []byte("ready\n")) {
		t.Fatalf("the child says %q", ready)
	}
	_, err = handover.Dial(dir, identity)
	expectAlone(t, err, `directory "`+dir+`": it belongs to another user`)

	// As if the directory had been given to us with what is in it.
	must(t, os.Chown(dir, 0, 0))
	_, err = handover.Dial(dir, identity)
	expectAlone(t, err, "the other end belongs to another user")
	if strings.Contains(err.Error(), "directory") {
		t.Errorf("it is the directory that is refused: %v", err)
	}
	must(t, input.Close())
	must(t, foreign.Wait())
}
