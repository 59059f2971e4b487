package kernels

import "fmt"

// TopExperts chooses each token's experts: the k largest of the softmax over logits[tokens, experts], which it
// overwrites. choice and weight are [tokens, k]; a token's experts are in ascending order, ties go to the lower one.
// If renormalize, a token's weights are divided by their sum (Mixtral); otherwise they are the probabilities (Jamba).
func TopExperts(choice []int32, weight, logits []float32, tokens, experts, k int, renormalize bool) {
	checkLen("TopExperts", "choice", len(choice), tokens, k)
	checkLen("TopExperts", "weight", len(weight), tokens, k)
	checkLen("TopExperts", "logits", len(logits), tokens, experts)
	if k > experts {
		panic(fmt.Sprintf("kernels: TopExperts: %d of %d experts", k, experts))
	}
	for t := range tokens {
		p, w := logits[t*experts:][:experts], weight[t*k:][:k]
		Softmax(p)
		var sum float32
		for j, e := range TopK(choice[t*k:t*k:(t+1)*k], p, k) {
			w[j] = p[e]
			sum += w[j]
		}
		if renormalize {
			for j := range w {
				w[j] /= sum
			}
		}
	}
}

// Routes is a batch of tokens sorted by expert: each expert's tokens lie together, in their old order, so that an expert
// is one product over the rows [lo, hi) that Each gives. The zero Routes is empty; Set may be called again.
type Routes struct {
	k     int
	start []int32 // [experts+1] first row of each expert
	token []int32 // [rows] the token of a row
	row   []int32 // [tokens, k] the row of a token's j-th expert
}

// Set sorts the tokens of choice[tokens, k] by expert. A choice outside [0, experts) is a bug and panics.
func (r *Routes) Set(choice []int32, tokens, k, experts int) {
	checkLen("Routes.Set", "choice", len(choice), tokens, k)
	r.k = k
	r.start, r.token, r.row = fit(r.start, experts+1), fit(r.token, len(choice)), fit(r.row, len(choice))
	clear(r.start)
	for i, e := range choice {
		if uint32(e) >= uint32(experts) {
			panic(fmt.Sprintf("kernels: Routes.Set: token %d goes to expert %d of %d", i/k, e, experts))
		}
		r.start[e+1]++
	}
	for e := range experts {
		r.start[e+1] += r.start[e]
	}
	// Each expert's start moves to its end while its rows are handed out, which is the start of the next.
	for i, e := range choice {
		at := r.start[e]
		r.start[e]++
		r.token[at], r.row[i] = int32(i/k), at
	}
	copy(r.start[1:], r.start[:experts])
	r.start[0] = 0
}

// fit returns a slice of n values, the old one if it is long enough.
func fit(x []int32, n int) []int32 {
	if cap(x) < n {
		return make([]int32, n)
	}
	return x[:n]
}

// Rows is the number of rows, tokens·k.
func (r *Routes) Rows() int { return len(r.token) }

// Each yields the experts that have tokens, in ascending order, with their rows [lo, hi).
func (r *Routes) Each(yield func(expert, lo, hi int)) {
	for e := 0; e+1 < len(r.start); e++ {
		if lo, hi := int(r.start[e]), int(r.start[e+1]); lo < hi {
			yield(e, lo, hi)
		}
	}
}

// Gather copies the tokens of x[tokens, dim] to the rows of dst[Rows, dim].
func (r *Routes) Gather(p *Pool, dst, x []float32, dim int) {
	checkLen("Routes.Gather", "dst", len(dst), r.Rows(), dim)
	Split(p, r.Rows(), dim, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(dst[i*dim:][:dim], x[int(r.token[i])*dim:][:dim])
		}
	})
}

// Product computes out[Rows, n] = x[Rows, m]·w[e]ᵀ, each expert e its own rows, in the precision that the weights are packed
// for. A row's result does not depend on which other tokens its expert has.
func (r *Routes) Product(p *Pool, out, x []float32, w []*Weight) {
	if len(w) != len(r.start)-1 {
		panic(fmt.Sprintf("kernels: Routes.Product: weights of %d experts, routes to %d", len(w), len(r.start)-1))
	}
	var rows Rows
	r.Each(func(e, lo, hi int) {
		rows.Set(p, w[e].Precision, x[lo*w[e].Cols:hi*w[e].Cols], hi-lo, w[e].Cols)
		Product(p, out[lo*w[e].Rows:hi*w[e].Rows], &rows, w[e], Epilogue{})
	})
}

// Combine adds to each token of out[tokens, dim] its rows of y[Rows, dim], times their weight[tokens, k]: the first
// expert's, then the second's, and so on, whatever the batch. All tiers agree bit for bit.
func (r *Routes) Combine(p *Pool, out, y, weight []float32, dim int) {
	checkLen("Routes.Combine", "y", len(y), r.Rows(), dim)
	checkLen("Routes.Combine", "weight", len(weight), r.Rows(), 1)
	if r.k == 0 {
		return
	}
	tokens := r.Rows() / r.k
	checkLen("Routes.Combine", "out", len(out), tokens, dim)
	Split(p, tokens, dim*(r.k+1), func(lo, hi int) {
		for t := lo; t < hi; t++ {
			for j := range r.k {
				i := t*r.k + j
				addScaled(out[t*dim:][:dim], y[int(r.row[i])*dim:][:dim], weight[i])
			}
		}
	})
}
