//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package outputs

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockDir keeps a second process from writing the same run; close the file to let go. A file system that has no locks
// is used without one.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, fmt.Errorf("outputs: another scbench is writing %s; wait for it or choose another folder", dir)
	}
	return f, nil
}

// syncDir makes renames in dir survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	// Some network file systems cannot sync a folder and say EINVAL; their renames are as durable as they can be.
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("outputs: cannot sync %s: %w", dir, err)
	}
	return nil
}
