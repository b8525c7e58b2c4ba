package secretfiles

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

const (
	generationPrefix = "..generation-"
	defaultMode      = fs.FileMode(0o400)
)

// writeGeneration writes files into a new directory and returns its name, which
// nobody can foresee. It does not sync: after a loss of power a start writes
// them again.
func writeGeneration(root *os.Root, files []File) (string, error) {
	name := generationPrefix + rand.Text()
	if err := makeDirectory(root, name); err != nil {
		return "", fmt.Errorf("directory for new files: %w", reason(err))
	}
	generation, err := root.OpenRoot(name)
	if err != nil {
		return "", fmt.Errorf("directory for new files: %w", reason(err))
	}
	defer generation.Close()
	for _, file := range files {
		if err := writeFile(generation, file); err != nil {
			return "", fmt.Errorf("file %q: %w", file.Path, reason(err))
		}
	}
	return name, nil
}

func writeFile(generation *os.Root, file File) error {
	if err := makeParents(generation, file.Path); err != nil {
		return err
	}
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | syscall.O_NOFOLLOW
	out, err := generation.OpenFile(file.Path, flags, 0o600)
	if err != nil {
		return err
	}
	mode := file.Mode.Perm()
	if mode == 0 {
		mode = defaultMode
	}
	_, err = out.Write(file.Content.Reveal())
	return errors.Join(err, out.Chmod(mode), out.Close())
}

// makeParents creates the directories above a file that are not there yet.
func makeParents(generation *os.Root, file string) error {
	for i := range len(file) {
		if file[i] != '/' {
			continue
		}
		if err := makeDirectory(generation, file[:i]); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// makeDirectory creates a directory with its permission, whatever the umask.
func makeDirectory(root *os.Root, name string) error {
	if err := root.Mkdir(name, private); err != nil {
		return err
	}
	return root.Chmod(name, private)
}
