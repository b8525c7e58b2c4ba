// Command probe is what the scripts start in place of a runtime. It prints what
// it was given:
//
//	probe show NAME…       each variable, quoted
//	probe size NAME…       how many bytes each variable has
//	probe environ NAME…    all variables but those named
//	probe args …           its arguments
//	probe file NAME…       mode and content of the files that variables name
//	probe files NAME…      mode and size of the files that variables name
//	probe mode PATH…       the mode of files
//	probe read FD          the first line of an inherited file
//	probe pid PID          whether it is that process
//	probe exit STATUS      nothing, and ends with that status
//
// Before that it writes its arguments to the file that PROBE_RECORD names.
package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if err := record(); err != nil {
		return err
	}
	if len(args) == 0 {
		return fmt.Errorf("no command")
	}
	switch command, args := args[0], args[1:]; command {
	case "args":
		printEach(args)
	case "environ":
		environ(args)
	case "read":
		return each(args, read)
	case "exit":
		return each(args, exit)
	case "pid":
		fmt.Println("the same process:", strconv.Itoa(os.Getpid()) == args[0])
	case "mode":
		return each(args, mode)
	case "file":
		return each(args, file)
	case "files":
		return each(args, size)
	case "size":
		return each(args, length)
	case "show":
		return each(args, show)
	default:
		return fmt.Errorf("no such command: %q", command)
	}
	return nil
}

// record tells that the program runs, and with which arguments.
func record() error {
	path := os.Getenv("PROBE_RECORD")
	if path == "" {
		return nil
	}
	return os.WriteFile(path, []byte(strings.Join(os.Args, "\n")), 0o600)
}

// each calls f for every argument until one fails.
func each(args []string, f func(string) error) error {
	for _, arg := range args {
		if err := f(arg); err != nil {
			return err
		}
	}
	return nil
}

func printEach(texts []string) {
	for _, text := range texts {
		fmt.Printf("%q\n", text)
	}
}

func environ(except []string) {
	printEach(slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(except, name)
	}))
}

func show(name string) error {
	if value, set := os.LookupEnv(name); set {
		fmt.Printf("%s=%q\n", name, value)
	} else {
		fmt.Println(name, "is not set")
	}
	return nil
}

func length(name string) error {
	fmt.Printf("%s has %d bytes\n", name, len(os.Getenv(name)))
	return nil
}

func file(name string) error {
	content, err := os.ReadFile(os.Getenv(name))
	if err != nil {
		return err
	}
	info, err := os.Stat(os.Getenv(name))
	if err != nil {
		return err
	}
	fmt.Printf("%s %#o %q\n", name, info.Mode().Perm(), content)
	return nil
}

func size(name string) error {
	info, err := os.Stat(os.Getenv(name))
	if err != nil {
		return err
	}
	fmt.Printf("%s %#o %d bytes\n", name, info.Mode().Perm(), info.Size())
	return nil
}

func mode(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	fmt.Println(info.Mode())
	return nil
}

func read(descriptor string) error {
	number, err := strconv.Atoi(descriptor)
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(os.NewFile(uintptr(number), descriptor)).ReadString('\n')
	fmt.Print(line)
	return err
}

func exit(status string) error {
	number, err := strconv.Atoi(status)
	if err != nil {
		return err
	}
	os.Exit(number)
	return nil
}
