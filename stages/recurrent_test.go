package stages

import (
	"reflect"
	"strings"
	"testing"

	"scbench/datasets"
	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages/kv"
	"scbench/stages/methods"
	"scbench/stages/models"
)

// hybridMethods are methods of all kinds that work on the attention layers of a hybrid model.
var hybridMethods = []string{"full", "ashape:init=8,local=60", "trishape:init=8,local=60,last=30", "minference:vertical=40,slash=102",
	"streamingllm:init=8,local=60", "snapkv:budget=80,window=16", "kivi:bits=4", "kvzip:budget=1/4,chunk=100", "quest:budget=64"}

// recurrentModels are a hybrid and one that is recurrent throughout, with methods.
var recurrentModels = []struct {
	name  string
	specs []string
}{{"tiny-jamba", hybridMethods}, {"tiny-mamba2", []string{"full"}}}

// recurrentLab is a lab with a model of random weights in place of the embedded one.
func recurrentLab(t *testing.T, threads int, name string) *lab {
	t.Helper()
	l := newLab(t, threads, 0)
	l.model.Close()
	for _, s := range models.RandomShapes {
		if s.Name == name {
			var err error
			if l.model, err = models.Random(s, l.pool, models.Choice{Precision: kernels.PrecisionF32}); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.store = kv.NewStore(l.mem, l.model.PageFormat(), l.model.Shape().Dim, 0)
	return l
}

// shortWork is work whose answers are short, since those of random weights mean nothing.
func (l *lab) shortWork(t *testing.T, task datasets.Task, n, tokens, turns int) []Work {
	work := l.work(t, task, n, tokens, turns)
	for i := range work {
		short := *work[i].Task
		short.MaxTokens = func(datasets.Turn) int { return 6 }
		work[i].Task = &short
	}
	return work
}

// TestRecurrent wants the same rows from models with recurrent layers whatever threads compute them and whether prompts are shared or not,
// the plan to bound what is held at once, and the state to be counted, of the same size for any length.
func TestRecurrent(t *testing.T) {
	for _, m := range recurrentModels {
		t.Run(m.name, func(t *testing.T) {
			l := recurrentLab(t, 2, m.name)
			defer l.close(t)
			work := append(l.shortWork(t, datasets.KV, 1, 300, 3), l.shortWork(t, datasets.VT, 1, 400, 2)...)
			want := results(t, l.job(t, outputs.GoldHistory, m.specs...), work)
			alone := l.job(t, outputs.GoldHistory, m.specs...)
			alone.NoShare = true
			if got := results(t, alone, work); !reflect.DeepEqual(got, want) {
				t.Error("other rows without sharing")
			}
			own := results(t, l.job(t, outputs.OwnHistory, m.specs...), work)
			state := l.model.Shape().StateBytes()
			for _, r := range append(want, own...) {
				full := int64(r.PromptTokens)*l.model.Shape().TokenBytes + state
				if r.KVBytesLogical != full || r.KVBytesResident < state || r.KVBytesResident > 2*full {
					t.Errorf("%s, turn %d: logical %d bytes, resident %d, want %d and at least %d of state", r.Method, r.Turn, r.KVBytesLogical, r.KVBytesResident, full, state)
				}
			}

			one := recurrentLab(t, 1, m.name)
			defer one.close(t)
			if got := results(t, one.job(t, outputs.GoldHistory, m.specs...), work); !reflect.DeepEqual(got, want) {
				t.Error("other rows with one thread")
			}
			j := one.job(t, outputs.OwnHistory, m.specs...)
			a, err := j.tokenize(t.Context(), work[0])
			if err != nil {
				t.Fatal(err)
			}
			plan := j.plan(a, j.prompts(a))
			results(t, j, work[:1])
			if peak := one.store.Peak(); peak > plan {
				t.Errorf("planned %d bytes, used %d", plan, peak)
			}
		})
	}
}

// TestRecurrentPrefix wants the prefix cache to give back whole prompts of models with recurrent layers, with the same rows, and no part of a
// prompt, whose state nobody has.
func TestRecurrentPrefix(t *testing.T) {
	for _, m := range recurrentModels {
		t.Run(m.name, func(t *testing.T) {
			l := recurrentLab(t, 2, m.name)
			defer l.close(t)
			work := l.shortWork(t, datasets.KV, 2, 500, 3)
			want := results(t, l.job(t, outputs.GoldHistory, m.specs...), work)
			dir := t.TempDir()
			for run := range 2 {
				got, computed, stats := cached(t, l.job(t, outputs.GoldHistory, m.specs...), work, 0, dir)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("run %d: other rows than without a cache", run)
				}
				if (computed == 0) != (run == 1) || stats.Failed != nil || stats.Stored == 0 && run == 0 {
					t.Errorf("run %d: %d tokens computed; %+v", run, computed, stats)
				}
			}

			one := func(mode outputs.Mode, specs ...string) *Job {
				j := l.job(t, outputs.GoldHistory, specs...)
				j.Modes = []outputs.Mode{mode}
				return j
			}
			dir = t.TempDir()
			cached(t, one(outputs.MultiRequest, "full"), work, 0, dir)
			want = results(t, one(outputs.MultiTurn, "full"), work)
			got, computed, stats := cached(t, one(outputs.MultiTurn, "full"), work, 0, dir)
			if !reflect.DeepEqual(got, want) {
				t.Error("a prompt that goes on from a cached one: other rows than without a cache")
			}
			if stats.Reused != 0 || computed < 800 {
				t.Errorf("a prompt that goes on from a cached one: %d tokens reused, %d computed", stats.Reused, computed)
			}
			both := l.job(t, outputs.GoldHistory, "full")
			want = results(t, both, work)
			got, computed, stats = cached(t, l.job(t, outputs.GoldHistory, "full"), work, 0, dir)
			if !reflect.DeepEqual(got, want) || stats.Reused < 800 || computed != 0 {
				t.Errorf("prompts of both kinds, all of them known: %d tokens reused, %d computed", stats.Reused, computed)
			}
		})
	}
}

// TestRecurrentRefused wants methods that cannot work on a model with recurrent layers to say why.
func TestRecurrentRefused(t *testing.T) {
	for _, c := range []struct{ model, spec, want string }{
		{"tiny-jamba", "cacheblend", "recurrent layers"}, {"tiny-mamba2", "cacheblend", "recurrent"},
		{"tiny-mamba2", "snapkv", "all layers of the model are recurrent"}, {"tiny-mamba2", "ashape+kivi", "all layers of the model are recurrent"},
	} {
		l := recurrentLab(t, 1, c.model)
		if _, err := methods.Parse(c.spec, l.model.Shape()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s on %s: %v", c.spec, c.model, err)
		}
		l.close(t)
	}
}
