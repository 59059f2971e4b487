package stages

import (
	"reflect"
	"testing"

	"scbench/datasets"
	"scbench/outputs"
)

// TestNoShare wants the same rows whether prompts are shared or not, Tri-shape to go on from A-shape's rows, and the plan's lower bound to be met.
func TestNoShare(t *testing.T) {
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
