package gguf

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// maxParts is the parts of a split file; the numbers in their names have five digits.
const maxParts = 99999

// join opens the other parts of a split file, of which f, at path, must be the first, and takes their tensors.
func (f *File) join(path string) error {
	if f.parts == 1 {
		return nil
	}
	suffix := func(i int) string { return fmt.Sprintf("-%05d-of-%05d.gguf", i+1, f.parts) }
	prefix, ok := strings.CutSuffix(path, suffix(0))
	if f.part != 0 || !ok {
		return fmt.Errorf("gguf: %s is part %d of %d of a split file; give the path of the first part, whose name must end in %s", f.name, f.part+1, f.parts, suffix(0))
	}
	for i := 1; i < f.parts; i++ {
		p, err := openOne(prefix + suffix(i))
		if err != nil {
			return fmt.Errorf("gguf: %s is split into %d parts, which must lie beside it: %w", f.name, f.parts, err)
		}
		f.unmap = append(f.unmap, p.unmap...)
		if p.parts != f.parts || p.part != i {
			return fmt.Errorf("gguf: %s says that it is part %d of %d, not what its name says: the parts are not of one file", p.name, p.part+1, p.parts)
		}
		for _, name := range p.names {
			if _, twice := f.tensors[name]; twice {
				return fmt.Errorf("gguf: %s: tensor %.100q is in another part too", p.name, name)
			}
			f.tensors[name] = p.tensors[name]
		}
		f.names = append(f.names, p.names...)
	}
	if f.total != 0 && f.total != len(f.names) {
		return fmt.Errorf("gguf: %s: the parts have %d tensors, split.tensors.count says %d", filepath.Base(path), len(f.names), f.total)
	}
	slices.Sort(f.names)
	return nil
}
