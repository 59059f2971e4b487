package methods

import (
	"fmt"
	"math"

	"scbench/stages/engine"
	"scbench/stages/kv"
)

// TriShape is AShape with a triangle's third side: the last rows of the prompt, where its question is, read everything before
// them.
var TriShape = engine.Method{
	Name:    "trishape",
	Paper:   "Li et al. 2024 (SCBench), arXiv:2412.10319",
	Doc:     "Sparse prefill: A-shape, but the last rows of the prompt are dense; the cache stays whole.",
	Stage:   engine.Generation,
	Differs: "Same as the reference.",
	Cost:    engine.CostClass{Prefill: "n·(init+local) + last·n", Decode: "all n tokens", Memory: "all n tokens", Decided: "static", Aware: "last rows are dense"},
	Params: []engine.Param{
		{Name: "init", Default: "128", Doc: "tokens at the start that all rows read"},
		{Name: "local", Default: "3968", Doc: "latest tokens that a row reads, its own counted"},
		{Name: "last", Default: "100", Doc: "rows at the end of the prompt that read everything"},
	},
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		t := triangle{sinks: int32(a.Int("init", 0)), local: int32(a.Int("local", 1)), last: int32(a.Int("last", 0))}
		sides, err := engine.Parse(fmt.Sprintf("ashape:init=%d,local=%d", t.sinks, t.local), []*engine.Method{&AShape}, s)
		return engine.Policy{
			Generate:  func(_ int, tile engine.Tile) engine.Plan { return t.plan(tile.Hi) },
			Beginning: func(n int) (*engine.Policy, int) { return &sides, int(t.bottom(n)) },
			Budget:    t.budget,
		}, err
	},
}

// triangle is A-shape with dense last rows.
type triangle struct{ sinks, local, last int32 }

// plan is the pattern for a prompt of n tokens. Of the dense rows alone, it is right for any n up to the prompt's end.
func (t triangle) plan(n int) engine.Plan {
	bottom := t.bottom(n)
	shape := aShape(t.sinks, t.local)
	return engine.Plan{Cuts: []int32{bottom}, Heads: []engine.Pattern{func(dst []kv.Span, lo, hi int32) []kv.Span {
		if lo >= bottom {
			return append(dst, kv.Column(0, math.MaxInt32))
		}
		return shape(dst, lo, hi)
	}}}
}

// bottom is the first dense row; the prompt's first row is never one of those.
func (t triangle) bottom(n int) int32 { return int32(n) - min(t.last, int32(n)-1) }

// budget is the sinks and the window, or everything, if no row before the dense ones has more than those to read.
func (t triangle) budget(n int) int {
	if reads := int(t.sinks) + int(t.local); n > 0 && int(t.bottom(n)) > reads {
		return reads
	}
	return n
}
