package main

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

var units = []struct {
	suffix string
	bytes  int64
}{{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"TIB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

// parseBytes reads "512MiB", "8GiB", "2GB" or a plain number of bytes.
func parseBytes(s string) (int64, error) {
	for _, u := range units {
		n, ok := strings.CutSuffix(strings.ToUpper(strings.TrimSpace(s)), u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
		if err != nil || !(v > 0) || v*float64(u.bytes) >= 1<<62 {
			break
		}
		return int64(v * float64(u.bytes)), nil
	}
	return 0, fmt.Errorf("%q is no size; write 512MiB or 8GiB", s)
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	}
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// memInfo reads a field of /proc/meminfo, in bytes; 0 where there is none.
func memInfo(field string) int64 { return memInfoOf(os.DirFS("/"), field) }

// memInfoOf is memInfo below another root.
func memInfoOf(root fs.FS, field string) int64 {
	b, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}
