package kv

// Window is the queries of the last rows of a prompt, which compression methods observe.
type Window struct {
	Queries []float32 // [Rows, query heads, dim], after RoPE, not scaled; immutable, so that branches share it
	Rows    int
	max     int
}

// Window returns the queries of the last rows; fewer than asked for if the prompt was shorter.
func (l *Layer) Window() Window { return l.last }

// WindowRows is the most rows that the layer remembers.
func (l *Layer) WindowRows() int { return l.last.max }

// SetWindow makes q [rows, query heads, dim] the queries remembered, as if they had been computed; it keeps q.
func (l *Layer) SetWindow(q []float32, rows int) { l.last.Queries, l.last.Rows = q, rows }

// Remember adds the queries q [rows, query heads, dim] of the newest rows.
func (l *Layer) Remember(q []float32, rows int) {
	w := &l.last
	if w.max == 0 || rows == 0 {
		return
	}
	width := len(q) / rows
	keep := min(w.Rows, max(0, w.max-rows))
	take := min(rows, w.max)
	next := make([]float32, 0, (keep+take)*width)
	next = append(next, w.Queries[(w.Rows-keep)*width:]...)
	next = append(next, q[(rows-take)*width:]...)
	w.Queries, w.Rows = next, keep+take
}

// Last returns the window of the last rows rows of w; all of w if it has fewer.
func (w Window) Last(rows int) Window {
	if w.Rows <= rows {
		return w
	}
	width := len(w.Queries) / w.Rows
	w.Queries, w.Rows = w.Queries[(w.Rows-rows)*width:], rows
	return w
}
