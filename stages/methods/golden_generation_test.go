package methods

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"scbench/stages/engine"
	"scbench/stages/kv"
)

// generationRunners are the runners of methods that shape the first prompt.
var generationRunners = map[string]func(*testing.T, vector){
	"a_tri_shape": goldenAShape,
	"trianglemix": goldenTriangleMix,
	"minference":  goldenMInference,
	"flexprefill": goldenFlexPrefill,
	"xattention":  goldenXAttention,
}

// tile is what a policy sees of a bench whose tokens have been attended to.
func (b *bench) tile() engine.Tile {
	w := b.shape.Heads * b.shape.Dim
	return engine.Tile{
		Hi: b.n, Heads: b.shape.Heads, KVHeads: b.shape.KVHeads, Dim: b.shape.Dim, Layer: b.session.Layers[0],
		Queries: func(lo, hi int) []float32 { return b.q[lo*w : hi*w] },
	}
}

// maskOf writes a head's pattern out as booleans [n, n].
func maskOf(p engine.Plan, h, n int) []bool {
	mask := make([]bool, n*n)
	f := p.Heads[min(h, len(p.Heads)-1)]
	for i := range int32(n) {
		for _, r := range kv.Runs(nil, f(nil, i, i+1), i) {
			for j := r.Lo; j < r.Hi; j++ {
				mask[int(i)*n+int(j)] = true
			}
		}
	}
	return mask
}

// sameOutput compares what a policy makes of a vector with one of its outputs.
func sameOutput(t *testing.T, v vector, p engine.Policy, name string) *bench {
	t.Helper()
	b := newBench(t, v, p)
	got := b.attend(t, false)
	want, shape := v.floats(t, name)
	near(t, name, got, rows(want, shape), outputTolerance, 0)
	return b
}

func goldenTriangleMix(t *testing.T, v vector) {
	s := engine.Shape{Layers: v.setting(t, "layers")}
	for name, extra := range map[string]string{
		"tri_mix":            "",
		"tri_mix_minference": fmt.Sprintf(",lower=minference,vertical=%d,slash=%d", v.setting(t, "vertical_size"), v.setting(t, "slash_size")),
	} {
		p, err := Parse(fmt.Sprintf("trianglemix:init=%d,local=%d,last=%d,start=%d%s", v.setting(t, "n_init"), v.setting(t, "n_local"),
			v.setting(t, "n_last"), v.setting(t, "starting_layer"), extra), s)
		if err != nil {
			t.Fatal(err)
		}
		for layer := range s.Layers {
			want := fmt.Sprintf("%s_layer%d", name, layer)
			if !v.has(want) {
				continue // its note says which layer it equals
			}
			at := p
			at.Generate = func(_ int, t engine.Tile) engine.Plan { return p.Generate(layer, t) }
			sameOutput(t, v, at, want)
		}
	}
}

func goldenMInference(t *testing.T, v vector) {
	switch {
	case v.has("h0_block_count"):
		goldenVerticalSlash(t, v)
	case v.has("h0_block_index"):
		goldenBlockSparse(t, v)
	case v.has("out") && v.Metadata()["n_local"] != "":
		sameOutput(t, v, policy(t, "minference:pattern=stream_llm,vertical=%d,slash=%d", v.setting(t, "n_init"), v.setting(t, "n_local")), "out")
	default:
		goldenSearch(t, v)
	}
}

func goldenVerticalSlash(t *testing.T, v vector) {
	vertical, slash := v.setting(t, "vertical_size"), v.setting(t, "slash_size")
	b := sameOutput(t, v, policy(t, "minference:vertical=%d,slash=%d", vertical, slash), "out")
	tile := b.tile()
	last := min(lastQueries, b.n)
	plan := b.session.Policy.Generate(0, tile)
	for h := range b.shape.Heads {
		name := func(s string) string { return fmt.Sprintf("h%d_%s", h, s) }
		seen := recent(tile, tile.Queries(b.n-last, b.n), last, h)
		columns, diagonals := columnMass(seen), diagonalMass(seen)
		finite := func(what string, got []float32) { // the vectors may have forced entries set to infinity
			want, _ := v.floats(t, name(what))
			got = slices.Clone(got)
			for i, x := range want {
				if math.IsInf(float64(x), 1) {
					got[i] = x
				}
			}
			for i := range want {
				if want[i] != got[i] && math.Abs(float64(want[i]-got[i])) > scoreAbsolute+scoreRelative*math.Abs(float64(want[i])) {
					t.Fatalf("%s: number %d is %g, want %g", name(what), i, got[i], want[i])
				}
			}
		}
		finite("vertical_score", columns)
		finite("diag_sum", diagonals)
		s := choose(columns, diagonals, headPattern{verticalAndSlash, vertical, slash}, forcedNearby)
		ascending := func(x []int32) []int32 { x = slices.Clone(x); slices.Sort(x); return x }
		if want := ascending(v.ints(t, name("vertical_idx"))); !slices.Equal(s.columns, want) {
			t.Errorf("head %d: columns %v, want %v", h, s.columns, want)
		}
		distances, want := ascending(s.distances), ascending(v.ints(t, name("slash_dist")))
		if slash >= forcedNearby || b.n <= slash {
			if !slices.Equal(distances, want) {
				t.Errorf("head %d: distances %v, want %v", h, distances, want)
			}
		} else { // the reference took some of the forced ones, we all
			for _, d := range want {
				if !slices.Contains(distances, d) {
					t.Errorf("head %d: distance %d is missing", h, d)
				}
			}
		}
		sameWorkList(t, v, s, h)
		if v.has(name("mask")) && !slices.Equal(maskOf(plan, h, b.n), v.bools(t, name("mask"))) {
			t.Errorf("head %d: mask differs", h)
		}
	}
}

// sameWorkList compares the blocks and columns of every block of rows.
func sameWorkList(t *testing.T, v vector, s slashes, h int) {
	t.Helper()
	name := func(s string) string { return fmt.Sprintf("h%d_%s", h, s) }
	blockCount, columnCount := v.ints(t, name("block_count")), v.ints(t, name("column_count"))
	blocks, columns := v.ints(t, name("block_offset")), v.ints(t, name("column_index"))
	n := len(blockCount)
	for r := range n {
		var gotBlocks, gotColumns []int32
		s.merge(s.ranges(int32(r)),
			func(c int32) { gotColumns = append(gotColumns, c) },
			func(run kv.Run) {
				for at := run.Lo; at < run.Hi; at += sparseBlock {
					gotBlocks = append(gotBlocks, at)
				}
			})
		wantBlocks := blocks[r*len(blocks)/n:][:blockCount[r]]
		wantColumns := columns[r*len(columns)/n:][:columnCount[r]]
		if !slices.Equal(gotBlocks, wantBlocks) || !slices.Equal(gotColumns, wantColumns) {
			t.Errorf("head %d, rows of block %d: blocks %v and columns %v, want %v and %v", h, r, gotBlocks, gotColumns, wantBlocks, wantColumns)
		}
	}
}

func goldenBlockSparse(t *testing.T, v vector) {
	k := v.setting(t, "top_k")
	b := sameOutput(t, v, policy(t, "minference:pattern=block_sparse,blocks=%d", k), "out")
	tile := b.tile()
	plan, means := b.session.Policy.Generate(0, tile), poolBlocks(tile, sparseBlock)
	for h := range b.shape.Heads {
		mask := means.choose(tile, h, k)
		index, width := v.ints(t, fmt.Sprintf("h%d_block_index", h)), 0
		x, _ := v.Tensor(fmt.Sprintf("h%d_block_index", h))
		width = x.Shape[1]
		for r := range blocksOf(b.n, sparseBlock) { // without the block of padding, whose scores are all ties
			var got []int32
			for c := range r + 1 {
				if mask.has(r, c) {
					got = append(got, int32(c))
				}
			}
			if want := index[r*width:][:min(r+1, width)]; !slices.Equal(got, want) {
				t.Errorf("head %d, rows of block %d: blocks %v, want %v", h, r, got, want)
			}
		}
		if name := fmt.Sprintf("h%d_mask", h); v.has(name) && !slices.Equal(maskOf(plan, h, b.n), v.bools(t, name)) {
			t.Errorf("head %d: mask differs", h)
		}
	}
}

func goldenFlexPrefill(t *testing.T, v vector) {
	least := 0
	if v.Metadata()["min_budget"] != "null" {
		least = v.setting(t, "min_budget")
	}
	size := v.setting(t, "block_size")
	b := sameOutput(t, v, policy(t, "flexprefill:gamma=%s,tau=%s,block=%d,min=%d", v.Metadata()["gamma"], v.Metadata()["tau"], size, least), "out")
	tile := b.tile()
	keys := blockKeys(tile, size)
	toMeans(keys, b.n, size, tile.Dim)
	distance, _ := v.floats(t, "js_distance")
	means, _ := v.floats(t, "avg_qk")
	columns, _ := v.floats(t, "vertical_block_mass")
	n := blocksOf(b.n, size)
	f := flexPrefill{gamma: 0.9, tau: 0.1, block: size}
	for h := range b.shape.Heads {
		got := f.look(tile, tile.Queries(b.n-size, b.n), keys[h/b.shape.Group()], h)
		near(t, "js_distance", []float32{float32(got.distance)}, distance[h:h+1], scoreAbsolute, scoreRelative)
		near(t, "avg_qk", got.means, means[h*n:(h+1)*n], scoreAbsolute, scoreRelative)
		near(t, "vertical_block_mass", got.columns, columns[h*n:(h+1)*n], scoreAbsolute, scoreRelative)
	}
	sameBlocks(t, v, b, size)
}

// sameBlocks compares the tokens that each row reads with block_mask.
func sameBlocks(t *testing.T, v vector, b *bench, size int) {
	t.Helper()
	x, _ := v.Tensor("block_mask")
	blocks, wide := v.bools(t, "block_mask"), x.Shape[3]
	plan := b.session.Policy.Generate(0, b.tile())
	for h := range b.shape.Heads {
		mask := maskOf(plan, h, b.n)
		for i := range b.n {
			for j := range i + 1 {
				if want := blocks[(h*wide+i/size)*wide+j/size]; mask[i*b.n+j] != want {
					t.Fatalf("head %d: row %d reads key %d: %v, want %v", h, i, j, !want, want)
				}
			}
		}
	}
}

func goldenXAttention(t *testing.T, v vector) {
	if v.has("sums_off") {
		goldenFindBlocks(t, v)
		return
	}
	if v.Metadata()["norm"] != "1" || v.Metadata()["select_mode"] != "inverse" {
		t.Skipf("not run: norm %s and select_mode %s", v.Metadata()["norm"], v.Metadata()["select_mode"])
	}
	size := v.setting(t, "block_size")
	b := sameOutput(t, v, policy(t, "xattention:stride=%d,threshold=%s,block=%d,chunk=%d", v.setting(t, "stride"), v.Metadata()["threshold"], size, v.setting(t, "chunk_size")), "out")
	want, shape := v.floats(t, "block_sums")
	x := xAttention{stride: v.setting(t, "stride"), block: size}
	x.scores(b.tile(), func(h, r int, got []float32) {
		near(t, fmt.Sprintf("block_sums of head %d, block %d", h, r), got, want[(h*shape[2]+r)*shape[3]:][:r+1], scoreAbsolute, scoreRelative)
	})
	sameBlocks(t, v, b, size)
}

// goldenFindBlocks compares the choice of blocks alone.
func goldenFindBlocks(t *testing.T, v vector) {
	for name, shift := range map[string]int{"mask_30": 0, "mask_60": 0, "mask_90": 0, "mask_99": 0, "mask_off_90": 8} {
		sums := "sums"
		if shift > 0 {
			sums = "sums_off"
		}
		scores, shape := v.floats(t, sums)
		want := v.bools(t, name)
		percent := 0
		if _, err := fmt.Sscan(name[strings.LastIndex(name, "_")+1:], &percent); err != nil {
			t.Fatal(err)
		}
		x := xAttention{threshold: float64(percent) / 100}
		wide := shape[3]
		for i := range shape[1] * shape[2] {
			got := make([]bool, wide)
			for _, c := range x.choose(scores[i*wide:(i+1)*wide], i%shape[2]+shift, shift > 0) {
				got[c] = true
			}
			if !slices.Equal(got, want[i*wide:(i+1)*wide]) {
				t.Errorf("%s: row %d keeps %v, want %v", name, i, got, want[i*wide:(i+1)*wide])
			}
		}
	}
}
