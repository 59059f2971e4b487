package stages

import (
	"reflect"
	"strings"
	"testing"

	"scbench/datasets"
	"scbench/outputs"
)

// TestWorkOfMethods wants rows to count what methods compute to decide, once, with the first prompt, and for those alone that decide so.
func TestWorkOfMethods(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	times := map[string][2]float64{"full": {1, 1}, "snapkv": {1, 1}, "h2o": {2, 2}, "kvzip": {3, 4.5}, "cacheblend": {1, 4}}
	j := l.job(t, outputs.GoldHistory, "full", "snapkv:budget=80,window=16", "h2o:budget=1/4", "kvzip:budget=1/4,chunk=100", "cacheblend:chunk=64,ratio=0.1+kvzip:budget=1/4,chunk=100")
	dense := map[int32]int64{}
	for _, r := range results(t, j, l.work(t, datasets.KV, 1, 800, 3)) {
		if r.Mode != outputs.MultiTurn {
			continue
		}
		method, _, _ := strings.Cut(r.Method, ":")
		if method == "full" {
			dense[r.Turn] = r.PrefillCellsDense
		}
		share := float64(r.PrefillCells) / float64(r.PrefillCellsDense)
		if want := times[method]; r.PrefillCellsDense != dense[r.Turn] || r.Turn == 1 && (share < want[0] || share > want[1]) || r.Turn > 1 && share > 1 {
			t.Errorf("%s, turn %d: %d of %d cells, that is %.2f of them", r.Method, r.Turn, r.PrefillCells, r.PrefillCellsDense, share)
		}
		if r.RecomputedShare != nil && *r.RecomputedShare >= 1 {
			t.Errorf("%s: %.2f of the prompt computed in all layers", r.Method, *r.RecomputedShare)
		}
		if r.Turn == 1 && (r.CachedTokens != 0 || r.ComputedTokens != r.PromptTokens) {
			t.Errorf("%s: %d of %d tokens computed", r.Method, r.ComputedTokens, r.PromptTokens)
		}
	}
	if len(dense) != 3 {
		t.Errorf("%d turns of full attention", len(dense))
	}
}

// TestNoShare wants the same rows whether prompts are shared or not, Tri-shape to go on from A-shape's rows, and the plan's lower bound to be met.
func TestNoShare(t *testing.T) {
	if testing.Short() {
		t.Skip("it is about numbers")
	}
	specs := append([]string{"cacheblend:chunk=64", "cacheblend:chunk=64,ratio=0.5+snapkv:budget=64", "trishape:init=8,local=60,last=30", "trishape:init=8,local=60,last=0", "minference:vertical=30,slash=100", "kivi:bits=4", "streamingllm:init=8,local=60,positions=cache",
		"h2o:budget=1/4", "expectedattention:budget=1/4", "kvzip:budget=1/4,chunk=100", "duoattention:sinks=4,recent=60", "think:recent=60"}, fiveMethods...)
	l := newLab(t, 2, 0)
	defer l.close(t)
	work := append(l.work(t, datasets.KV, 1, 300, 3), l.work(t, datasets.VT, 1, 400, 2)...)
	shared := l.job(t, outputs.GoldHistory, specs...)
	want := results(t, shared, work)
	alone := l.job(t, outputs.GoldHistory, specs...)
	alone.NoShare = true
	if got := results(t, alone, work); !reflect.DeepEqual(got, want) {
		t.Error("other rows without sharing")
	}
	plan, err := shared.Plan(t.Context(), seq(work))
	if err != nil {
		t.Fatal(err)
	}
	computed, all := shared.Prefilled()
	if computed != plan.Prefill || computed != plan.Bound || all != plan.Alone {
		t.Errorf("%d of %d tokens computed; planned %d, bound %d, alone %d", computed, all, plan.Prefill, plan.Bound, plan.Alone)
	}
	if separate, all := alone.Prefilled(); separate != all || separate < 2*computed {
		t.Errorf("without sharing %d of %d tokens computed, with it %d", separate, all, computed)
	}
	only := func(specs ...string) int64 {
		j := l.job(t, outputs.GoldHistory, specs...)
		results(t, j, work[:1])
		n, _ := j.Prefilled()
		return n
	}
	a, tri := only("ashape:init=8,local=60"), only("trishape:init=8,local=60,last=30")
	if both := only("ashape:init=8,local=60", "trishape:init=8,local=60,last=30"); both != a+2*30 || tri >= a+2*30 {
		t.Errorf("A-shape computes %d tokens, Tri-shape %d, both %d, want A-shape's and two times the last 30", a, tri, both)
	}
}
