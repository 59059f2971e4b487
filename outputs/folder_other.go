//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package outputs

import "os"

// lockDir takes no lock here: folders cannot be locked on this system.
func lockDir(dir string) (*os.File, error) { return os.Open(dir) }

// syncDir does nothing here: folders cannot be synced on this system.
func syncDir(string) error { return nil }
