package methods

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// goldenTables says of each table of numbers in JSON, by folder and name, how it is run, or why not here.
var goldenTables = map[string]struct {
	run    func(*testing.T, string)
	reason string
}{
	"pyramidkv/schedule.json":              {run: goldenPyramidSchedule},
	"scbench_lifecycle/cache_lengths.json": {run: goldenLifecycle},
	"streamingllm/start_recent_trace.json": {run: goldenStartRecent},
	"llmlingua2/toy_tokenizer_cases.json":  {reason: "elsewhere: TestGoldenLLMLingua2 runs it"},
	"minference/search_v1.json":            {reason: "elsewhere: the vector of that name is compared with it"},
	"kvpress/pyramidkv_budgets.json":       {reason: "not run: kvpress counts in fractions, rounds, and is uniform in other cases; PyramidKV here has the original's whole numbers, see pyramidkv/schedule.json"},
}

// goldenStartRecent runs the first event of a trace of the original's rolling cache, which trims a prompt. The others evict as
// answers grow, where a method here decides once.
func goldenStartRecent(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Trace []struct {
			Op  string
			IDs []int32
		}
	}
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	const prompt = "prefill 50 then trim"
	if len(table.Trace) == 0 || table.Trace[0].Op != prompt {
		t.Fatalf("the trace does not begin with %q", prompt)
	}
	shape := engine.Shape{Layers: 2, Heads: 4, KVHeads: 2, Dim: 8, Vocab: 1}
	p, err := Parse("streamingllm:init=4,local=20", shape) // the trace's start and recent
	if err != nil {
		t.Fatal(err)
	}
	s := engine.NewSession(shape, kv.NewStore(memory.NewGoAllocator(), kernels.PageF32, shape.Dim, 0), p)
	defer s.Release()
	feed(t, shape, s, 50)
	for l, layer := range s.Layers {
		keep := p.Compress(l, layer, kv.Window{}).Keep
		if len(keep) != shape.KVHeads {
			t.Fatalf("layer %d decides for %d heads, want %d", l, len(keep), shape.KVHeads)
		}
		for h, got := range keep {
			if !slices.Equal(got, table.Trace[0].IDs) {
				t.Errorf("layer %d, head %d keeps %v, want %v", l, h, got, table.Trace[0].IDs)
			}
		}
	}
	for _, e := range table.Trace[1:] {
		t.Logf("not run: %s: a rolling cache, which evicts at every step; here a method decides once", e.Op)
	}
}

// partly says of goldens that are run what of them is not compared, or how.
var partly = map[string]string{
	"h2o/h2o_decode_realdrop":              "not what goes on evicting at every step",
	"kivi/quant_2bit":                      "but one code in a hundred may be off by a step, since scales are binary16 here",
	"kivi/quant_4bit":                      "but one code in a hundred may be off by a step, since scales are binary16 here",
	"quest/quest_multiquery":               "the output of the last row only, since the reference's others see keys after them",
	"streamingllm/start_recent_trace.json": "the first event only, since the others evict at every step",
}

// report is a line for each golden, in the order they come in.
type report []string

// add writes t's line when it ends, with the reason if it was skipped.
func (r *report) add(t *testing.T, name, reason string) {
	t.Cleanup(func() {
		switch {
		case t.Failed():
			*r = append(*r, "| "+name+" | FAILED |")
		case t.Skipped():
			*r = append(*r, "| "+name+" | "+reason+" |")
		case partly[name] != "":
			*r = append(*r, "| "+name+" | reproduced in part: "+partly[name]+" |")
		default:
			*r = append(*r, "| "+name+" | reproduced |")
		}
	})
}

// print writes all lines as a table in Markdown.
func (r report) print(t *testing.T) {
	t.Logf("\n| golden | result |\n|---|---|\n%s", strings.Join(r, "\n"))
}
