package outputs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"scbench/outputs/stats"
)

// What claims are about, as data sets and methods name it.
const (
	stringRetrieval = "string retrieval"
	globalInfo      = "global information"
)

var (
	dropping = []string{"streamingllm", "snapkv", "pyramidkv"} // a cache of constant size
	sparse   = []string{"ashape", "trishape", "minference"}    // sparse prefill, a whole cache
	repeats  = []string{"summary", "manyshot", "summarywithneedles", "passkey"}
	random   = []string{"kv", "prefixsuffix"}
	long     = []string{"repoqa", "repoqaandkv", "summarywithneedles"} // answers of hundreds of tokens
	summing  = []string{"summary", "summarywithneedles"}
)

// Claims are the testable statements of the paper, T1 to T14 of the benchmark's specification. Where a method has several settings in
// a run, what is checked is their mean; sizes are in points of 100. Tasks on which full attention scores below 20 are left out.
var Claims = []Claim{
	{"T1", "Methods with a cache of constant size fail when requests share a context: fine at best at the first, they drop at the next.",
		"full and any of streamingllm, snapkv, pyramidkv; string retrieval; multi-turn", func(f *facts) []measure {
			m := f.families(dropping...)
			tasks := f.able(f.turns, stringRetrieval)
			full := []string{f.full}
			return []measure{
				f.measure("their decay on string retrieval, beyond that of full attention", moreThan, 0.05, tasks, m,
					arms(1, f.turns, m, firstTurn), arms(-1, f.turns, m, laterTurns), arms(-1, f.turns, full, firstTurn), arms(1, f.turns, full, laterTurns)),
				f.measure("what they lose against full attention after turn 1", moreThan, 0.2, tasks, m, arms(1, f.turns, full, laterTurns), arms(-1, f.turns, m, laterTurns)),
			}
		}},
	{"T2", "Sparse prefill with a whole cache is robust, and gains as requests accumulate.",
		"full and any of ashape, trishape, minference; multi-turn", func(f *facts) []measure {
			m := f.families(sparse...)
			tasks := f.able(f.turns)
			return []measure{
				f.measure("their gain after turn 1", moreThan, 0, tasks, m, arms(1, f.turns, m, laterTurns), arms(-1, f.turns, m, firstTurn)),
				f.measure("what they lose against full attention after turn 1", lessThan, 0.05, tasks, m, arms(1, f.turns, []string{f.full}, laterTurns), arms(-1, f.turns, m, laterTurns)),
			}
		}},
	{"T3", "Dynamic sparsity (MInference) beats static (Tri-shape, A-shape) at an equal budget, most of all on string retrieval.",
		"full, minference and any of trishape, ashape, computing as many attention cells; string retrieval; multi-request", func(f *facts) []measure {
			dynamic, static := f.family("minference", ""), f.families("trishape", "ashape")
			if len(dynamic) == 0 {
				static = nil
			}
			m := f.measure("MInference less Tri- and A-shape on string retrieval, multi-request", moreThan, 0.02, f.able(f.request, stringRetrieval), static,
				arms(1, f.request, dynamic, always), arms(-1, f.request, static, always))
			if a, b := f.prefillShare(dynamic), f.prefillShare(static); m.lack == "" && a > 1.1*b {
				m.caution = fmt.Sprintf("MInference computed %.0f %% of the dense attention cells and the others %.0f %%: that is no equal budget", 100*a, 100*b)
			}
			return []measure{m}
		}},
	{"T4", "Tri-shape beats A-shape above all in turn 1, whose question A-shape's sparse rows hold.",
		"full, trishape, ashape; multi-turn", func(f *facts) []measure {
			tri, a := f.family("trishape", ""), f.family("ashape", "")
			both := tri
			if len(a) == 0 {
				both = nil
			}
			tasks := f.able(f.turns)
			first := slices.Concat(arms(1, f.turns, tri, firstTurn), arms(-1, f.turns, a, firstTurn))
			return []measure{
				f.measure("Tri-shape less A-shape in turn 1", moreThan, 0.05, tasks, both, first),
				f.measure("how much of that is gone after turn 1", moreThan, 0, tasks, both, first, arms(-1, f.turns, tri, laterTurns), arms(1, f.turns, a, laterTurns)),
			}
		}},
	{"T5", "Methods that look at the question (SnapKV, Tri-shape) lose when it is not there while the context is encoded; MInference less.",
		"full, minference and any of snapkv, trishape; multi-turn and multi-request", func(f *facts) []measure {
			aware, blind := f.families("snapkv", "trishape"), f.family("minference", "")
			tasks := f.able(f.turns)
			drop := func(weight float64, m []string) []arm {
				return slices.Concat(arms(weight, f.turns, m, firstTurn), arms(-weight, f.request, m, firstTurn))
			}
			first := f.measure("what SnapKV and Tri-shape lose of the first question without it, beyond full attention", moreThan, 0.05, tasks, aware, drop(1, aware), drop(-1, []string{f.full}))
			if len(blind) == 0 {
				aware = nil
			}
			return []measure{first, f.measure("the same, beyond MInference", moreThan, 0, tasks, aware, drop(1, aware), drop(-1, blind))}
		}},
	{"T6", "What a context repeats decides what a small cache costs: summaries, many-shot and needles in haystacks take it, random strings do not.",
		"full and any of streamingllm, snapkv, pyramidkv; kv or prefixsuffix, and any of summary, manyshot, summarywithneedles, passkey; multi-turn", func(f *facts) []measure {
			m := f.families(dropping...)
			loss := slices.Concat(arms(1, f.turns, []string{f.full}, always), arms(-1, f.turns, m, always))
			hard, easy := among(f.able(f.turns), random), among(f.able(f.turns), repeats)
			out := f.measure("their loss on random strings beyond that on contexts that repeat themselves", moreThan, 0.1, hard, m, loss)
			other := f.measure("", moreThan, 0, easy, m, loss)
			out.lack = cmp.Or(out.lack, other.lack)
			out.iv = difference(out.iv, other.iv)
			if a, b := f.deflated(hard), f.deflated(easy); out.lack == "" && a > 0 && b > 0 {
				out.what += fmt.Sprintf(" (which deflate to %.2f and %.2f of their bytes)", a, b)
			}
			return []measure{out}
		}},
	{"T7", "Every method loses as its budget shrinks, and methods with a cache of constant size lose much already at a quarter.",
		"full; a method with several budgets (budget=256|512), and streamingllm, snapkv or pyramidkv that hold a sixth to a third of the cache; string retrieval; multi-turn", func(f *facts) []measure {
			tasks := f.able(f.turns)
			large, small := f.extremes()
			quarter := slices.DeleteFunc(f.families(dropping...), func(m string) bool { x, _ := f.share(m); return x < 1.0/6 || x > 1.0/3 })
			text := f.able(f.turns, stringRetrieval)
			out := []measure{
				f.measure("the largest budget less the smallest, over methods that have several", moreThan, 0.02, tasks, small, arms(1, f.turns, large, always), arms(-1, f.turns, small, always)),
				f.measure("what methods lose on string retrieval that hold about a quarter of the cache", moreThan, 0.2, text, quarter, arms(1, f.turns, []string{f.full}, always), arms(-1, f.turns, quarter, always)),
			}
			if len(small) == 0 && f.full != "" {
				out[0].lack = "no method has several budgets that were measured to differ"
			}
			return out
		}},
	{"T8", "KIVI in 2 bits keeps global tasks and loses string retrieval.",
		"full, kivi:bits=2; string retrieval and global information; multi-turn", func(f *facts) []measure {
			m := f.family("kivi", "bits=2")
			loss := slices.Concat(arms(1, f.turns, []string{f.full}, always), arms(-1, f.turns, m, always))
			return []measure{
				f.measure("what KIVI in 2 bits loses on string retrieval", moreThan, 0.2, f.able(f.turns, stringRetrieval), m, loss),
				f.measure("on global information", lessThan, 0.05, f.able(f.turns, globalInfo), m, loss),
			}
		}},
	{"T9", "Attention moves while a long answer is generated, and that hurts even methods with a whole cache.",
		"full and any of ashape, trishape, minference; repoqa, repoqaandkv or summarywithneedles; multi-turn; and the file of scbench drift", func(f *facts) []measure {
			m := f.families(sparse...)
			hurt := f.measure("what sparse prefill loses where answers are long", moreThan, 0.02, among(f.able(f.turns), long), m, arms(1, f.turns, []string{f.full}, always), arms(-1, f.turns, m, always))
			return []measure{f.drift.measure(), hurt}
		}},
	{"T10", "Hybrid models save memory and keep accuracy: on Prefix-Suffix Jamba spells strings that dense models misspell in the middle.",
		"full; prefixsuffix; the same questions asked of a hybrid model (jamba, mamba, zamba in its name) and of a dense one", func(f *facts) []measure {
			return []measure{f.spelling()}
		}},
	{"T11", "Compressing the prompt is fit for some global tasks (many-shot) and ruins retrieval.",
		"full, llmlingua2; manyshot and string retrieval; multi-turn", func(f *facts) []measure {
			m := f.family("llmlingua2", "")
			loss := slices.Concat(arms(1, f.turns, []string{f.full}, always), arms(-1, f.turns, m, always))
			return []measure{
				f.measure("what LLMLingua-2 loses on string retrieval", moreThan, 0.2, f.able(f.turns, stringRetrieval), m, loss),
				f.measure("on many-shot", lessThan, 0.1, among(f.able(f.turns), []string{"manyshot"}), m, loss),
			}
		}},
	{"T12", "Whether earlier answers are gold or the model's own changes the scores.",
		"full; multi-turn with both histories, which takes two runs", func(f *facts) []measure {
			own := mode{MultiTurn, OwnHistory}
			var m []string
			for _, method := range f.methods() {
				if f.has(own, method) && f.has(f.turns, method) && f.turns.history == GoldHistory {
					m = append(m, method)
				}
			}
			out := f.measure("own answers less gold ones, after turn 1", something, 0.02, f.tasks(), m, arms(1, own, m, laterTurns), arms(-1, f.turns, m, laterTurns))
			if len(m) == 0 && f.full != "" {
				out.lack = "the rows have one history; add the run with the other"
			}
			return []measure{out}
		}},
	{"T13", "Benchmarks that ask once do not show these weaknesses: turn 1 ranks methods otherwise than later turns.",
		"full and three other methods or more; multi-turn", func(f *facts) []measure { return []measure{f.ranking()} }},
	{"T14", "In summaries methods with sparse prefill and dense decoding keep details, and StreamingLLM loses them; larger models summarise better.",
		"full, streamingllm and any of ashape, trishape, minference; summary or summarywithneedles; multi-turn (a second model is not compared)", func(f *facts) []measure {
			m, streaming := f.families(sparse...), f.family("streamingllm", "")
			tasks := among(f.able(f.turns), summing)
			full := arms(1, f.turns, []string{f.full}, always)
			return []measure{
				f.measure("what StreamingLLM loses in summaries", moreThan, 0.05, tasks, streaming, full, arms(-1, f.turns, streaming, always)),
				f.measure("what sparse prefill loses in them", lessThan, 0.05, tasks, m, full, arms(-1, f.turns, m, always)),
			}
		}},
}

// among are the tasks that are in a list.
func among(tasks, list []string) (out []string) {
	for _, t := range tasks {
		if slices.Contains(list, t) {
			out = append(out, t)
		}
	}
	return out
}

// difference is that of two independent estimates.
func difference(a, b stats.Interval) stats.Interval {
	if a.N == 0 || b.N == 0 {
		return stats.Interval{}
	}
	b.Value, b.Low, b.High = -b.Value, -b.High, -b.Low
	return stats.Mix(Level, stats.Range{Low: -2, High: 2}, []float64{1, 1}, []stats.Interval{a, b})
}

// has reports whether a method was asked in a mode.
func (f *facts) has(m mode, method string) bool {
	return slices.ContainsFunc(f.cells, func(c scoreCell) bool {
		return c.mode == m.mode && c.history == m.history && c.method == method
	})
}

// prefillShare is the share of the dense attention cells that methods computed of their prompts, the mean over them.
func (f *facts) prefillShare(methods []string) float64 {
	var mean Mean
	for _, m := range methods {
		var all Share
		for _, c := range f.summary.Cells {
			if c.Method == m && c.Mode == f.request.mode {
				all.add(c.Prefill.Computed, c.Prefill.Dense)
			}
		}
		if all.Dense > 0 {
			mean.Add(float64(all.Computed) / float64(all.Dense))
		}
	}
	x, _ := mean.Value()
	return x
}

// share is the part of a dense cache that a method was measured to hold in multi-turn mode, and that it read of it for each decoded token;
// 0 where nothing was measured.
func (f *facts) share(method string) (held, read float64) {
	var a, b, r Mean
	for _, c := range f.summary.Cells {
		if c.Method == method && c.Mode == MultiTurn && c.History == f.turns.history {
			a.Sum, b.Sum, r.Sum = a.Sum+c.Resident.Sum, b.Sum+c.Logical.Sum, r.Sum+c.Read.Sum
		}
	}
	if b.Sum == 0 {
		return 0, 0
	}
	return a.Sum / b.Sum, r.Sum / b.Sum
}

// extremes are, of the methods that have several settings which were measured to hold or to read other amounts, those with the largest
// and the smallest.
func (f *facts) extremes() (large, small []string) {
	var seen []string
	for _, method := range f.methods() {
		name, _, _ := strings.Cut(method, ":")
		if slices.Contains(seen, name) || strings.Contains(method, "+") {
			continue
		}
		seen = append(seen, name)
		all := f.family(name, "")
		for _, of := range []func(string) float64{
			func(m string) float64 { held, _ := f.share(m); return held },
			func(m string) float64 { _, read := f.share(m); return read },
		} {
			slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(of(a), of(b)) })
			if least, most := all[0], all[len(all)-1]; of(least) > 0 && of(most) > 1.1*of(least) {
				large, small = append(large, most), append(small, least)
				break
			}
		}
	}
	return large, small
}

// deflated is the mean over tasks of how far their contexts deflate, 0 where that is not known.
func (f *facts) deflated(tasks []string) float64 {
	var mean Mean
	for _, c := range f.summary.Cells {
		if x, ok := c.Deflated.Value(); ok && slices.Contains(tasks, c.Task) && c.Method == f.full {
			mean.Add(x)
		}
	}
	x, _ := mean.Value()
	return x
}
