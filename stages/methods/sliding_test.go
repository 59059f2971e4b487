package methods

import (
	"slices"
	"testing"

	"scbench/stages/engine"
)

// TestSlidingConformance runs every method on a model whose second layer reads a window of the last tokens only, and whose scores are
// bounded softly: without a limit it is full attention of that model, bit for bit, and with one it reads no more than that does.
func TestSlidingConformance(t *testing.T) {
	before := conformanceShape
	t.Cleanup(func() { conformanceShape = before })
	conformanceShape.Sliding, conformanceShape.Softcap = []int{0, 100}, 2
	for _, m := range All {
		t.Run(m.Name, func(t *testing.T) {
			c := newChat(t, 1)
			full, prompt, follow := c.converse("full")
			if prompt.Cells != prompt.DenseCells || follow.Cells != follow.DenseCells || follow.Cells != follow.Stored {
				t.Fatalf("full attention reads %+v and %+v", prompt, follow)
			}
			if m.Stage == engine.Retrieval {
				full = full[promptRows*len(full)/(promptRows+followRows+1):]
			}
			for _, spec := range conforming[m.Name].unlimited {
				if got, _, _ := c.converse(spec); !slices.Equal(got, full) {
					t.Errorf("%s is not full attention, bit for bit", spec)
				}
			}
			for _, spec := range conforming[m.Name].small {
				got, p, f := c.converse(spec)
				if p.Cells > prompt.Cells && c.policy(spec).Retrieve == nil || f.Cells > follow.Cells || f.Cells > f.Stored {
					t.Errorf("%s: %d of %d cells in the prompt and %d of %d after it", spec, p.Cells, prompt.Cells, f.Cells, follow.Cells)
				}
				if slices.ContainsFunc(got, func(x float32) bool { return x != x }) {
					t.Errorf("%s: answers are not numbers", spec)
				}
				if two, _, _ := newChat(t, 2).converse(spec); !slices.Equal(got, two) {
					t.Errorf("%s: two threads compute other numbers than one", spec)
				}
				c.forks(spec)
			}
			if n := c.store.InUse(); n != 0 {
				t.Errorf("%d bytes left", n)
			}
		})
	}
}
