package kernels

import (
	"slices"
	"testing"
)

// The tolerance of the golden vectors of outputs, as their README states it.
const goldenTolerance = 1e-4

func TestGoldenMamba1(t *testing.T) {
	eachGolden(t, "mamba1", map[string]func(*testing.T, vector){"selective_scan": goldenSelectiveScan, "jamba_moe": goldenMoE})
}

func TestGoldenMamba2(t *testing.T) {
	eachGolden(t, "mamba2", map[string]func(*testing.T, vector){
		"ssd_minimal": goldenSSD, "step": goldenStep, "gated_rmsnorm": goldenGatedRMSNorm,
	})
}

// goldenSelectiveScan transposes the vectors, which keep channels before time and before states.
func goldenSelectiveScan(t *testing.T, v vector) {
	u, shape := v.floats(t, "u")
	channels, tokens := shape[1], shape[2]
	a, shape := v.floats(t, "A")
	n := shape[1]
	byTime := func(name string, rows int) []float32 {
		x, _ := v.floats(t, name)
		return transpose(x, rows, tokens)
	}
	bias, _ := v.floats(t, "delta_bias")
	skip, _ := v.floats(t, "D")
	dt, x, gate := byTime("delta_pre", channels), transpose(u, channels, tokens), byTime("z", channels)
	Softplus(dt, bias, tokens)
	state := make([]float32, n*channels)
	SelectiveScan(nil, x, state, x, dt, transpose(a, channels, n), byTime("B", n), byTime("C", n), skip, tokens, channels, n)
	SiLUMul(gate, x)
	near(t, "out", gate, doubles(byTime("out", channels)), goldenTolerance)
	last, _ := v.floats(t, "last_state")
	near(t, "last_state", state, doubles(transpose(last, channels, n)), goldenTolerance)
}

// statesFirst turns the reference's states [heads, dim, n] into ours [heads, n, dim].
func statesFirst(x []float32, s SSDShape) (y []float32) {
	for size := s.Dim * s.State; len(x) > 0; x = x[size:] {
		y = append(y, transpose(x[:size], s.Dim, s.State)...)
	}
	return y
}

// joinRows joins x [tokens, a], b and c [tokens, n] to the rows x | b | c.
func joinRows(tokens int, parts ...[]float32) (u []float32) {
	for t := range tokens {
		for _, p := range parts {
			w := len(p) / tokens
			u = append(u, p[t*w:][:w]...)
		}
	}
	return u
}

func goldenSSD(t *testing.T, v vector) {
	x, shape := v.floats(t, "x") // [1, tokens, heads, dim]
	b, groups := v.floats(t, "B")
	c, _ := v.floats(t, "C")
	dt, _ := v.floats(t, "dt")
	a, _ := v.floats(t, "A")
	tokens := shape[1]
	s := SSDShape{Heads: shape[2], Dim: shape[3], Groups: groups[2], State: groups[3]}
	start, _ := v.floats(t, "initial_state")
	for _, f := range []ssdKernel{SSD, SSDScan} {
		for suffix, state := range map[string][]float32{"": make([]float32, len(start)), "_init": statesFirst(start, s)} {
			y := make([]float32, len(x))
			f(nil, y, state, joinRows(tokens, x, b, c), dt, a, make([]float32, s.Heads), s, tokens)
			want, _ := v.floats(t, "y"+suffix+"_chunk16")
			near(t, "y"+suffix, y, doubles(want), goldenTolerance)
			last, _ := v.floats(t, "final_state"+suffix+"_chunk16")
			near(t, "state"+suffix, state, doubles(statesFirst(last, s)), goldenTolerance)
		}
	}
}

// goldenStep is one token of each of a batch of sequences.
func goldenStep(t *testing.T, v vector) {
	x, shape := v.floats(t, "x") // [batch, heads, dim]
	b, groups := v.floats(t, "B")
	c, _ := v.floats(t, "C")
	dt, _ := v.floats(t, "dt")
	bias, _ := v.floats(t, "dt_bias")
	a, _ := v.floats(t, "A")
	skip, _ := v.floats(t, "D")
	gate, _ := v.floats(t, "z")
	states, _ := v.floats(t, "state_in")
	batch := shape[0]
	s := SSDShape{Heads: shape[1], Dim: shape[2], Groups: groups[1], State: groups[2]}
	dt = slices.Clone(dt)
	Softplus(dt, bias, batch)
	u, state, y := joinRows(batch, x, b, c), statesFirst(states, s), make([]float32, len(x))
	for i := range batch {
		width, size := s.Heads*s.Dim, len(state)/batch
		SSDScan(nil, y[i*width:][:width], state[i*size:][:size], u[i*s.Width():][:s.Width()], dt[i*s.Heads:][:s.Heads], a, skip, s, 1)
	}
	SiLUMul(gate, y)
	want, _ := v.floats(t, "out")
	near(t, "out", gate, doubles(want), goldenTolerance)
	last, _ := v.floats(t, "state_out")
	near(t, "state_out", state, doubles(statesFirst(last, s)), goldenTolerance)
}

// goldenGatedRMSNorm checks both orders and both group sizes: norm first is RMSNorm followed by the gate.
func goldenGatedRMSNorm(t *testing.T, v vector) {
	x, shape := v.floats(t, "x")
	weight, _ := v.floats(t, "weight")
	rows, dim, eps := shape[0], shape[1], float32(v.number(t, "eps"))
	for name, group := range map[string]int{"gate_first_group32": 32, "gate_first_group8": 8} {
		gate, _ := v.floats(t, "z")
		GatedRMSNorm(gate, x, weight, eps, rows, dim, group)
		want, _ := v.floats(t, name)
		near(t, name, gate, doubles(want), goldenTolerance)
	}
	gate, _ := v.floats(t, "z")
	RMSNorm(x, x, weight, eps, rows, dim)
	SiLUMul(gate, x)
	want, _ := v.floats(t, "norm_first_group32")
	near(t, "norm_first_group32", gate, doubles(want), goldenTolerance)
}

// goldenMoE is a whole mixture of SwiGLU experts.
func goldenMoE(t *testing.T, v vector) {
	x, shape := v.floats(t, "x")
	tokens, dim := shape[0], shape[1]
	_, shape = v.floats(t, "gate") // [experts, hidden, dim]
	experts, hidden := shape[0], shape[1]
	matrices := func(name string, rows, cols int) (w []*Weight) {
		data, _ := v.floats(t, name)
		for ; len(data) > 0; data = data[rows*cols:] {
			m, err := NewMatrix(F32, encode(F32, data[:rows*cols], 0), rows, cols)
			if err != nil {
				t.Fatal(err)
			}
			w = append(w, m.Pack(nil, PrecisionF32))
		}
		return w
	}
	wanted, _ := v.floats(t, "weights")
	selected := v.words(t, "selected")
	k := len(selected) / tokens
	logits, choice, weight := make([]float32, tokens*experts), make([]int32, tokens*k), make([]float32, tokens*k)
	times(nil, logits, x, matrices("router", experts, dim)[0], tokens)
	TopExperts(choice, weight, logits, tokens, experts, k, false)
	for i, e := range selected { // the reference's order is by weight
		j := i/k*k + slices.Index(choice[i/k*k:][:k], int32(e))
		if j < i/k*k {
			t.Fatalf("token %d: experts %v, want %d among them", i/k, choice[i/k*k:][:k], e)
		}
		near(t, "weights", weight[j:][:1], []float64{float64(wanted[i])}, goldenTolerance)
	}
	var r Routes
	r.Set(choice, tokens, k, experts)
	in, up, y := make([]float32, r.Rows()*dim), make([]float32, r.Rows()*hidden), make([]float32, r.Rows()*dim)
	gate := make([]float32, len(up))
	r.Gather(nil, in, x, dim)
	r.Product(nil, gate, in, matrices("gate", hidden, dim))
	r.Product(nil, up, in, matrices("up", hidden, dim))
	SiLUMul(gate, up)
	r.Product(nil, y, gate, matrices("down", dim, hidden))
	out := make([]float32, tokens*dim)
	r.Combine(nil, out, y, weight, dim)
	want, _ := v.floats(t, "out")
	near(t, "out", out, doubles(want), goldenTolerance)
}
