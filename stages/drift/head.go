package drift

import (
	"math"
	"math/bits"

	"scbench/kernels"
	"scbench/outputs"
	"scbench/stages/engine"
	"scbench/stages/kv"
)

// head is what is known of one head.
type head struct {
	at    Head
	shape engine.Shape
	top   int

	ref    []float32 // [prompt] mean distribution of the last rows of the prompt
	refTop []int32   // its top keys, ascending
	now    []float32 // distribution of the latest row, by position
	keys   []int32   // scratch
	isTop  []bool    // scratch
}

// attention is the distribution of a query over the first slots tokens of an uncompressed layer, in dst.
func (h *head) attention(dst []float32, l *kv.Layer, q []float32, slots int) []float32 {
	for len(dst) < slots {
		dst = append(dst, 0)
	}
	dst = dst[:slots]
	l.Scores(dst, h.at.Head/h.shape.Group(), q, float32(1/math.Sqrt(float64(h.shape.Dim))))
	if c := float64(h.shape.Softcap); c > 0 {
		for i, s := range dst {
			dst[i] = float32(c * math.Tanh(float64(s)/c))
		}
	}
	from := h.from(slots)
	clear(dst[:from])
	kernels.Softmax(dst[from:])
	return dst
}

// from is the first token that the row of token slots-1 may read in a layer with a sliding window.
func (h *head) from(slots int) int {
	if h.shape.Sliding == nil || h.shape.Sliding[h.at.Layer] == 0 {
		return 0
	}
	return max(0, slots-h.shape.Sliding[h.at.Layer])
}

// prefill takes the last rows of a prompt of n tokens for what is compared with, and returns what they are like themselves.
func (h *head) prefill(l *kv.Layer, w kv.Window, n int) outputs.Drift {
	dim, heads := h.shape.Dim, h.shape.Heads
	rows := make([][]float32, w.Rows)
	sum := make([]float64, n)
	for r := range rows {
		at := (r*heads + h.at.Head) * dim
		rows[r] = h.attention(nil, l, w.Queries[at:at+dim], n-w.Rows+r+1)
		for i, p := range rows[r] {
			sum[i] += float64(p)
		}
	}
	h.ref = make([]float32, n)
	for i := range sum {
		h.ref[i] = float32(sum[i] / float64(w.Rows))
	}
	h.refTop = kernels.TopK(nil, h.ref, h.top)
	var mean measures
	for _, p := range rows {
		mean.add(h.measure(p), 1/float64(w.Rows))
	}
	out := h.row(mean)
	out.Position, out.Token = -1, -1
	return out
}

// measures are the numbers of a row of full attention.
type measures struct {
	overlap, top, generated, entropy, divergence float64
	distance                                     []float64
}

func (m *measures) add(o measures, weight float64) {
	m.overlap += weight * o.overlap
	m.top += weight * o.top
	m.generated += weight * o.generated
	m.entropy += weight * o.entropy
	m.divergence += weight * o.divergence
	for len(m.distance) < len(o.distance) {
		m.distance = append(m.distance, 0)
	}
	for i, d := range o.distance {
		m.distance[i] += weight * d
	}
}

// measure lays p, the distribution of a row over the tokens up to its own, against prefill.
func (h *head) measure(p []float32) measures {
	prompt := min(len(p), len(h.ref))
	m := measures{distance: make([]float64, 1+bits.Len(uint(len(p)-1)))}
	within := 0.0
	for i, x := range p {
		v := float64(x)
		if v > 0 {
			m.entropy -= v * math.Log(v)
		}
		m.distance[bits.Len(uint(len(p)-1-i))] += v
		if i < prompt {
			within += v
		} else {
			m.generated += v
		}
	}
	for _, i := range h.refTop {
		if int(i) < prompt {
			m.top += float64(p[i])
		}
	}
	h.keys = kernels.TopK(h.keys, p[:prompt], h.top)
	m.overlap = float64(common(h.keys, h.refTop)) / float64(len(h.refTop))
	m.divergence = h.jensenShannon(p[:prompt], within)
	return m
}

// jensenShannon is the divergence of prefill and p, which sums to sum, as if it did to 1; where nothing of p is within the prompt they
// have nothing in common.
func (h *head) jensenShannon(p []float32, sum float64) float64 {
	if sum <= 0 {
		return math.Ln2
	}
	d := 0.0
	for i, r := range h.ref {
		a, b := float64(r), 0.0
		if i < len(p) {
			b = float64(p[i]) / sum
		}
		m := (a + b) / 2
		if a > 0 {
			d += a * math.Log(a/m) / 2
		}
		if b > 0 {
			d += b * math.Log(b/m) / 2
		}
	}
	return min(max(d, 0), math.Ln2)
}

// common counts what two ascending lists share.
func common(a, b []int32) (n int) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			n, a, b = n+1, a[1:], b[1:]
		}
	}
	return n
}

// row is a row of full attention.
func (h *head) row(m measures) outputs.Drift {
	out := h.blank(outputs.DriftFull)
	out.Overlap, out.TopMass, out.GeneratedMass, out.Entropy, out.Divergence = &m.overlap, &m.top, &m.generated, &m.entropy, &m.divergence
	out.DistanceMass = m.distance
	return out
}

func (h *head) blank(method string) outputs.Drift {
	return outputs.Drift{Method: method, Layer: int32(h.at.Layer), Head: int32(h.at.Head), Prompt: int32(len(h.ref))}
}

// rows are those of the latest token: full attention's, then each method's.
func (h *head) rows(choices []*choice) []outputs.Drift {
	out := []outputs.Drift{h.row(h.measure(h.now))}
	h.keys = kernels.TopK(h.keys, h.now, h.top)
	h.isTop = append(h.isTop[:0], make([]bool, len(h.now))...)
	for _, i := range h.keys {
		h.isTop[i] = true
	}
	from, within := h.from(len(h.now)), 0.0
	for _, p := range h.now[:len(h.ref)] {
		within += float64(p)
	}
	for _, c := range choices {
		var keys, mass, prompt, top float64
		c.reads(h.at, h.shape.Group(), func(token int) {
			if token < from {
				return
			}
			keys++
			mass += float64(h.now[token])
			if token < len(h.ref) {
				prompt += float64(h.now[token])
			}
			if h.isTop[token] {
				top++
			}
		})
		top /= float64(len(h.keys))
		if within > 0 {
			prompt /= within
		}
		row := h.blank(c.policy.Name)
		row.KeysRead, row.ReadMass, row.PromptMass, row.ReadTop = &keys, &mass, &prompt, &top
		out = append(out, row)
	}
	return out
}
