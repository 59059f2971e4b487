package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"scbench/stages/kv"
)

// TestRaggedHeads has heads keep different numbers of tokens: one spans pages, the other fits into one. Later rows must read what
// each head kept and what follows, alike in one pass, in two, and on a fork, and all that is counted must be counted per head.
func TestRaggedHeads(t *testing.T) {
	const n, more = 150, 30
	kept := [][]int32{nil, nil}
	for s := int32(0); s < n; s++ {
		if s%3 != 0 {
			kept[0] = append(kept[0], s)
		}
		if s >= n-7 {
			kept[1] = append(kept[1], s)
		}
	}
	p := Policy{Compress: func(int, *kv.Layer, kv.Window) kv.Edit { return kv.Edit{Keep: kept} }}
	f := fill(t, rand.New(rand.NewPCG(5, 5)), p, n+more)
	f.pass(t, nil, 0, n)
	if err := f.session.Settle(nil); err != nil {
		t.Fatal(err)
	}
	least, mean, most := f.session.Kept()
	if least != 7 || mean != 53.5 || most != 100 {
		t.Errorf("kept %d, %g, %d tokens, want 7, 53.5, 100", least, mean, most)
	}
	logical, resident, _ := f.session.Bytes()
	each := f.store.TokenBytes()
	if logical != 2*n*each || resident != (100+7)*each {
		t.Errorf("logical %d bytes, resident %d, want %d and %d", logical, resident, 2*n*each, (100+7)*each)
	}

	branch, whole := f.session.Fork(p), f.session
	f.session.Cost = Cost{}
	got := f.pass(t, nil, n, n+more)
	group := testShape.Group()
	f.check(t, "ragged", got, n, func(_, h, j int) bool { return j >= n || slices.Contains(kept[h/group], int32(j)) })
	slots := int64((100+7)*more + 2*more*(more+1)/2)
	if c := whole.Cost; c.Cells != slots*int64(group) || c.Stored != c.Cells || c.ReadBytes != slots*each {
		t.Errorf("counted %d cells, %d stored and %d bytes, want %d, %d and %d", c.Cells, c.Stored, c.ReadBytes, slots*int64(group), slots*int64(group), slots*each)
	}

	f.session = branch
	halves := slices.Concat(f.pass(t, nil, n, n+more/2), f.pass(t, nil, n+more/2, n+more))
	f.session = whole
	branch.Release()
	if !slices.Equal(got, halves) {
		t.Error("a fork in two passes differs from its parent in one")
	}
}
