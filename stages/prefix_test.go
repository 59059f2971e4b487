package stages

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"scbench/datasets"
	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages/engine"
	"scbench/stages/kv"
	"scbench/stages/prefix"
)

// cached runs a job with a prefix cache, and returns its rows, the tokens computed, and what the cache did.
func cached(t *testing.T, j *Job, work []Work, memory int64, dir string) ([]outputs.Result, int64, prefix.Stats) {
	t.Helper()
	c, err := prefix.New("test", memory, dir, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	j.Prefix = c
	before, _ := j.Prefilled()
	rows := results(t, j, work)
	after, _ := j.Prefilled()
	return rows, after - before, c.Stats()
}

// TestPrefixCache fills a folder in one run and wants the next to compute nothing of its prompts, with the same rows as without a
// cache; a flipped byte anywhere to be found, and its prompts computed again; and what runs have in common to be shared.
func TestPrefixCache(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	specs := []string{"full", "ashape:init=8,local=60", "trishape:init=8,local=60,last=30", "minference:vertical=40,slash=102", "cacheblend:chunk=64,ratio=0.05", "snapkv:budget=80,window=16", "quest:budget=64",
		"h2o:budget=1/4", "expectedattention:budget=1/4", "duoattention:sinks=4,recent=60", "infllm:block=16,init=8,local=60,topk=2,repr=2", "retrievalattention:sinks=8,window=32,topk=30,sample=40,nearest=10,degree=8,beam=40"}
	if testing.Short() { // what runs side by side is the same for all of them
		specs = []string{"full", "trishape:init=8,local=60,last=30", "snapkv:budget=80,window=16", "h2o:budget=1/4"}
	}
	work := append(l.work(t, datasets.KV, 2, 300, 3), l.work(t, datasets.VT, 1, 400, 2)...)
	want := results(t, l.job(t, outputs.GoldHistory, specs...), work)
	dir := t.TempDir()
	run := func(what string, memory int64, dir string, computed bool) prefix.Stats {
		t.Helper()
		got, n, stats := cached(t, l.job(t, outputs.GoldHistory, specs...), work, memory, dir)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other rows than without a cache", what)
		}
		if computed != (n > 0) || stats.Failed != nil || stats.Unstored > 0 {
			t.Errorf("%s: %d tokens computed; %+v", what, n, stats)
		}
		return stats
	}
	if s := run("the first run", 0, dir, true); s.Stored == 0 {
		t.Errorf("nothing is stored: %+v", s)
	}
	if s := run("the second run", 1<<20, dir, false); s.Reused == 0 || s.Damaged != 0 {
		t.Errorf("the second run: %+v", s)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.blocks"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files { // some are of chunks, which nobody asks for as long as what was made of them is there
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(f, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if s := run("with damaged files", 0, dir, true); s.Damaged == 0 {
		t.Errorf("the damage is not found: %+v", s)
	}
	run("mended", 0, dir, false)
}

// TestPrefixBeginning wants a prompt that goes on from a cached one to compute only what is new, and the queries that methods observe.
func TestPrefixBeginning(t *testing.T) {
	l := newLab(t, 2, 0)
	defer l.close(t)
	work := l.work(t, datasets.KV, 1, 500, 3)
	dir := t.TempDir()
	one := func(mode outputs.Mode, method string) *Job {
		j := l.job(t, outputs.GoldHistory, method)
		j.Modes = []outputs.Mode{mode}
		return j
	}
	if _, n, _ := cached(t, one(outputs.MultiRequest, "full"), work, 0, dir); n < 400 {
		t.Fatalf("%d tokens computed", n)
	}
	want := results(t, one(outputs.MultiTurn, "snapkv:budget=80,window=16"), work)
	got, n, s := cached(t, one(outputs.MultiTurn, "snapkv:budget=80,window=16"), work, 0, dir)
	if !reflect.DeepEqual(got, want) {
		t.Error("other rows than without a cache")
	}
	if n < 16 || n > 150 || s.Reused < 400 {
		t.Errorf("%d tokens computed, %d reused", n, s.Reused)
	}
	watching := one(outputs.MultiTurn, "full")
	watching.Policies[0].Observe = []engine.Observation{{Name: "nothing", New: newBlind}}
	if _, n, s := cached(t, watching, work, 0, dir); n < 400 || s.Unstored == 0 {
		t.Errorf("%d tokens computed, though a method wants to observe all; %d ends not stored", n, s.Unstored)
	}
}

// blind is an observer that cannot be stored.
type blind struct{}

func newBlind(int) kv.Observer { return blind{} }

func (blind) Observe(*kernels.Pool, *kv.Layer, []float32, int, int) {}
func (b blind) Fork() kv.Observer                                   { return b }
