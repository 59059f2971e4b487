package prefix

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"scbench/kernels"
)

// TestTrail wants names to depend on tokens and their generations, and not on how they were cut.
func TestTrail(t *testing.T) {
	c, err := New("a", 0, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.SliceOfN(rapid.Int32(), 1, 4*kernels.PageTokens).Draw(t, "tokens")
		turn := rapid.IntRange(0, len(tokens)).Draw(t, "turn") // where another generation begins
		whole, blocks := c.Root().Extend("g", tokens[:turn])
		whole, more := whole.Extend("h", tokens[turn:])
		blocks = append(blocks, more...)
		cut := rapid.IntRange(0, len(tokens)).Draw(t, "cut")
		parts := c.Root()
		var got []Block
		at := 0
		for _, to := range []int{min(cut, turn), max(cut, turn), len(tokens)} {
			generation := "g"
			if at >= turn {
				generation = "h"
			}
			var b []Block
			parts, b = parts.Extend(generation, tokens[at:to])
			got, at = append(got, b...), to
		}
		if !slices.Equal(got, blocks) || parts.end("") != whole.end("") {
			t.Fatalf("cut at %d of %d: %v and %x, whole %v and %x", cut, len(tokens), got, parts.end(""), blocks, whole.end(""))
		}
		if len(blocks) != len(tokens)/kernels.PageTokens {
			t.Fatalf("%d blocks of %d tokens", len(blocks), len(tokens))
		}
		if turn < len(tokens) {
			if other, _ := c.Root().Extend("g", tokens); other.end("") == whole.end("") {
				t.Fatal("the generation is not part of the name")
			}
		}
		if whole.end("") == whole.end("x") {
			t.Fatal("needs are not part of an end's name")
		}
	})
	d, _ := New("b", 0, "", 0)
	if d.Root().last == c.Root().last {
		t.Error("the tag is not part of the names")
	}
}

func some(name byte, n int) entry {
	return entry{Hash{name}, bytes.Repeat([]byte{name}, n)}
}

// TestMemory wants the oldest entries to go first, and use to make them young.
func TestMemory(t *testing.T) {
	m := newRecent(100)
	for _, e := range []entry{some(1, 40), some(2, 40)} {
		m.put(e.name, e.data)
	}
	m.get(Hash{1})
	m.put(Hash{3}, make([]byte, 40))
	m.put(Hash{4}, make([]byte, 101))
	if !m.has(Hash{1}) || m.has(Hash{2}) || !m.has(Hash{3}) || m.has(Hash{4}) || m.bytes != 80 {
		t.Errorf("after eviction: %v, %d bytes", m.at, m.bytes)
	}
}

// TestDisk wants entries back after a restart, the least recently used files to go, and other files to be left alone.
func TestDisk(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(other, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	size := int64(len(encode([]entry{some(1, 1000)}))) + 1000
	c, err := New("", 0, dir, 2*size)
	if err != nil {
		t.Fatal(err)
	}
	for i := range byte(3) {
		c.put([]entry{some(i, 1000)})
	}
	if s := c.Stats(); s.Evicted != size || s.Stored != 3*size || s.Failed != nil {
		t.Errorf("%+v, want one of three files of %d bytes evicted", s, size)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err = New("", 0, dir, size); err != nil { // a smaller limit
		t.Fatal(err)
	}
	defer c.Close()
	for i, want := range []bool{false, false, true} {
		data, ok := c.get(Hash{byte(i)})
		if ok != want || ok && !bytes.Equal(data, some(byte(i), 1000).data) {
			t.Errorf("entry %d: %v, %d bytes", i, ok, len(data))
		}
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}

// TestDamage flips every byte of both files in turn, and cuts them short: an entry comes back as it was stored, or not at all, and what
// is damaged is removed.
func TestDamage(t *testing.T) {
	list := []entry{some(7, 300), some(8, 5)}
	dir := t.TempDir()
	files := func() (names []string) {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			names = append(names, filepath.Join(dir, e.Name()))
		}
		return names
	}
	open := func() *Cache {
		c, err := New("", 0, dir, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	try := func(what string, damage func(data []byte) []byte) {
		for file := range 2 {
			c := open()
			c.put(list)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			path := files()[file]
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if data = damage(data); data == nil {
				continue
			}
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			c = open()
			lost := 0
			for _, e := range list {
				got, ok := c.get(e.name)
				if ok && !bytes.Equal(got, e.data) {
					t.Fatalf("%s of %s: entry %x comes back changed", what, path, e.name[0])
				}
				if !ok {
					lost++
				}
			}
			if lost == 0 {
				t.Errorf("%s of %s is not found", what, path)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			for _, f := range files() {
				if f == path {
					t.Errorf("%s of %s: the file is still there", what, path)
				}
				_ = os.Remove(f)
			}
		}
	}
	for i := range 2000 {
		try(fmt.Sprintf("byte %d", i), func(data []byte) []byte {
			if i >= len(data) {
				return nil
			}
			data[i] ^= 0x40
			return data
		})
	}
	try("the end", func(data []byte) []byte { return data[:len(data)-1] })
	try("everything", func([]byte) []byte { return []byte{} })
}
