// Package environ builds the environment block that execve passes to a program.
package environ

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"secretwrap/internal/secret"
)

// Block is an environment in which each name stands once. Use New. Printing a
// Block prints no value, for it may hold secrets.
type Block struct {
	names   []string
	values  map[string]secret.Value
	dropped int
}

// New returns a Block of the given entries, NAME=value each, in their order. Of
// several with one name the first stays: it is the one that C, Go and Node see,
// while shells and Python see the last. An entry without a name or without "="
// is dropped. Names that no shell could set, such as BASH_FUNC_x%%, stay.
func New(entries []string) *Block {
	b := &Block{values: make(map[string]secret.Value, len(entries))}
	for _, entry := range entries {
		name, value, found := strings.Cut(entry, "=")
		if !found || name == "" {
			b.dropped++
			continue
		}
		if _, found := b.values[name]; !found {
			b.put(name, secret.FromString(value))
		}
	}
	return b
}

// Dropped returns how many entries New dropped because they were none.
// Duplicates do not count.
func (b *Block) Dropped() int { return b.dropped }

// Lookup returns the value of a variable in the clear, and whether it is set.
func (b *Block) Lookup(name string) (string, bool) {
	value, found := b.values[name]
	return string(value.Reveal()), found
}

// Set sets a variable from a secret: in its place if it is there already, else
// at the end. It refuses a name that is not valid or is reserved, and a value
// with a NUL byte, where execve's strings end. It does not limit the size.
func (b *Block) Set(name string, value secret.Value) error {
	if !ValidName(name) {
		return fmt.Errorf("%q is not a valid name of a variable", name)
	}
	if Reserved(name) {
		return fmt.Errorf("%s is reserved", name)
	}
	if slices.Contains(value.Reveal(), 0) {
		return errors.New(name + " cannot hold a NUL byte")
	}
	b.put(name, value)
	return nil
}

// Export sets a variable that is this program's own, reserved or not. The value
// must hold no NUL byte.
func (b *Block) Export(name, value string) { b.put(name, secret.FromString(value)) }

func (b *Block) put(name string, value secret.Value) {
	if _, found := b.values[name]; !found {
		b.names = append(b.names, name)
	}
	b.values[name] = value
}

// Unset removes a variable, if it is there.
func (b *Block) Unset(name string) {
	if _, found := b.values[name]; !found {
		return
	}
	delete(b.values, name)
	b.names = slices.DeleteFunc(b.names, func(other string) bool { return other == name })
}

// Names returns the names in their order.
func (b *Block) Names() []string { return slices.Clone(b.names) }

// Entries returns NAME=value of each variable, in the order of Names, as execve
// takes them: with every secret in the clear.
func (b *Block) Entries() []string {
	entries := make([]string, len(b.names))
	for i, name := range b.names {
		entries[i] = name + "=" + string(b.values[name].Reveal())
	}
	return entries
}
