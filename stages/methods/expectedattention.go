package methods

import (
	"math"
	"slices"

	"scbench/kernels"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// ExpectedAttention keeps the tokens that queries to come are expected to attend to most. Queries are taken to be normally
// distributed, with the mean and covariance that those of the prompt had before RoPE, which is then averaged over the positions
// that follow the prompt; the exponential of a product with such a query has a closed form. What a token would contribute is its
// attention times the norm of its value.
var ExpectedAttention = engine.Method{
	Name:    "expectedattention",
	Paper:   "Devoto et al. 2025, arXiv:2510.00636",
	Doc:     "Keeps the tokens that queries like the prompt's would attend to most from the positions to come.",
	Stage:   engine.Compression,
	Differs: "Same as the reference, kvpress; heads=adaptive and epsilon=0.01 are the setting that its leaderboard lists. Queries are observed as the model computes them, norms of queries included, where the reference refuses models that have such norms.",
	Cost:    engine.CostClass{Prefill: "n² / 2 + n·d", Decode: "budget", Memory: "budget", Decided: "at the end of prefill", Aware: "no: statistics of queries"},
	Params: []engine.Param{
		{Name: "budget", Default: "4096", Doc: "tokens kept per head, in the mean over a layer's heads; a number or a share of the prompt"},
		{Name: "sinks", Default: "4", Doc: "first tokens, whose queries do not count and which stay in any case"},
		{Name: "future", Default: "512", Doc: "positions after the prompt that queries are expected from"},
		{Name: "spread", Default: "covariance", Doc: "what is known of the queries beside their mean: covariance, or none"},
		{Name: "values", Default: "norm", Doc: "whether attention is multiplied by the norm of the value: norm, or none"},
		{Name: "epsilon", Default: "0.01", Doc: "added to attention before it is multiplied"},
		{Name: "heads", Default: "adaptive", Doc: "budgets of a layer's heads: adaptive, where the scores are highest, or uniform"},
		{Name: "floor", Default: "0.2", Doc: "share of its even budget that an adaptive head has in any case"},
	},
	New: func(s engine.Shape, a engine.Args) (engine.Policy, error) {
		budget := a.Amount("budget")
		x := expectation{
			shape: s, sinks: a.Int("sinks", 0), future: a.Int("future", 1), covariance: a.Choice("spread", "covariance", "none") == "covariance",
			norms: a.Choice("values", "norm", "none") == "norm", epsilon: float32(a.Number("epsilon", 0, 1)),
		}
		adaptive, floor := a.Choice("heads", "adaptive", "uniform") == "adaptive", a.Number("floor", 0, 1)
		if !adaptive {
			floor = 1
		}
		return engine.Policy{
			Observe: []engine.Observation{x.observation()},
			Compress: func(_ int, l *kv.Layer, _ kv.Window) kv.Edit {
				n := l.Slots(0)
				keep := budget.Of(n)
				if n <= max(keep, x.sinks) {
					return kv.Edit{}
				}
				return kv.Edit{Keep: best(guarded(x.scores(l), int(floor*float64(keep))), keep*l.Heads())}
			},
			Budget: func(n int) int { return min(n, budget.Of(n)) },
		}, nil
	},
}

// expectation is what attention is expected to be.
type expectation struct {
	shape         engine.Shape
	sinks, future int
	covariance    bool
	norms         bool
	epsilon       float32
}

func (x expectation) observation() engine.Observation {
	return observeQueries(x.shape, x.sinks, x.covariance)
}

// scores is, per KV head, the score of each token; sinks have the highest.
func (x expectation) scores(l *kv.Layer) [][]float32 {
	turn := meanTurn(x.shape, l.Dim(), l.Slots(0), x.future)
	o := l.Observer(x.observation().Name).(*queries)
	group := len(o.heads) / l.Heads()
	out := make([][]float32, l.Heads())
	top := float32(0) // of all heads
	for h := range out {
		n := l.Slots(h)
		sum := make([]float32, n)
		for _, m := range o.heads[h*group : (h+1)*group] {
			mean, cov := m.turned(turn)
			p := x.attention(l, h, mean, cov)
			for i, v := range p {
				sum[x.sinks+i] += v / float32(group)
			}
		}
		x.weigh(l, h, sum)
		out[h], top = sum, max(top, slices.Max(sum))
	}
	for _, scores := range out {
		for i := range x.sinks {
			scores[i] = top + 1
		}
	}
	return out
}

// attention is what a query head is expected to pay to each token after the sinks: the softmax of k·mean/√d + k·cov·k/2d.
func (x expectation) attention(l *kv.Layer, h int, mean, cov []float32) []float32 {
	n, d := l.Slots(h), l.Dim()
	all := make([]float32, n)
	l.Scores(all, h, mean, float32(1/math.Sqrt(float64(d))))
	p := all[x.sinks:]
	if cov != nil {
		k, ck := make([]float32, d), make([]float32, d)
		var square [1]float32
		for i := range p {
			l.Key(k, h, x.sinks+i)
			kernels.KeyScores(ck, k, cov, 1)
			kernels.KeyScores(square[:], k, ck, 1/float32(2*d))
			p[i] += square[0]
		}
	}
	kernels.Softmax(p)
	return p
}

// weigh multiplies scores by the norms of values.
func (x expectation) weigh(l *kv.Layer, h int, scores []float32) {
	if !x.norms {
		return
	}
	v := make([]float32, l.Dim())
	var square [1]float32
	for i := x.sinks; i < len(scores); i++ {
		l.Value(v, h, i)
		kernels.KeyScores(square[:], v, v, 1)
		scores[i] = (scores[i] + x.epsilon) * float32(math.Sqrt(float64(square[0])))
	}
}

// meanTurn is the mean of the rotations from position 0 to [n, n+count), a matrix [d, d] that is multiplied by a vector from the right; nil
// for a model without rotations. It adds up rotations of unit vectors by doubling: those to twice as many positions are those to the
// first half, and the same turned further.
func meanTurn(s engine.Shape, d, n, count int) []float32 {
	if s.Rotate == nil {
		return nil
	}
	to := make([]int32, d)
	turned := func(x []float32, by int) []float32 {
		x = append([]float32(nil), x...)
		for i := range to {
			to[i] = int32(by)
		}
		s.Rotate(x, make([]int32, d), to, n)
		return x
	}
	some := make([]float32, d*d) // row i: what becomes of unit vector i, summed over the first m positions, m a power of two
	for i := range d {
		some[i*d+i] = 1
	}
	sum, done := make([]float32, d*d), 0
	for m := 1; m <= count; m *= 2 {
		if count&m != 0 {
			kernels.Add(sum, turned(some, done))
			done += m
		}
		kernels.Add(some, turned(some, m))
	}
	sum = turned(sum, n)
	matrix := make([]float32, d*d)
	for i := range d {
		for j := range d {
			matrix[j*d+i] = sum[i*d+j] / float32(count)
		}
	}
	return matrix
}
