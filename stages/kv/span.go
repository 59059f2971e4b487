package kv

// Span is a set of keys that a query may read: a column, the slots [Lo, Hi), or a band along the diagonal,
// the keys at distances [Lo, Hi) before the query (distance 0 is the query's own token).
type Span struct {
	Lo, Hi int32
	Diag   bool
}

// Column is the slots [lo, hi).
func Column(lo, hi int32) Span { return Span{Lo: lo, Hi: hi} }

// Band is the keys at distances [near, far) from the query.
func Band(near, far int32) Span { return Span{Lo: near, Hi: far, Diag: true} }

// Run is a half-open range of slots.
type Run struct{ Lo, Hi int32 }

// Runs appends to dst what a query in slot row reads of spans: ascending, disjoint, not adjacent, never beyond row.
// A key that several spans name is read once.
func Runs(dst []Run, spans []Span, row int32) []Run {
	first := len(dst)
	for _, s := range spans {
		r := Run{s.Lo, s.Hi}
		if s.Diag {
			r = Run{row - s.Hi + 1, row - s.Lo + 1}
		}
		r.Lo, r.Hi = max(r.Lo, 0), min(r.Hi, row+1)
		if r.Lo < r.Hi {
			dst = insert(dst, first, r)
		}
	}
	return dst
}

// insert adds r to the ascending runs dst[first:], joining those it touches.
func insert(dst []Run, first int, r Run) []Run {
	at := len(dst)
	for at > first && dst[at-1].Hi >= r.Lo {
		at--
	}
	end := at
	for end < len(dst) && dst[end].Lo <= r.Hi {
		r.Lo, r.Hi = min(r.Lo, dst[end].Lo), max(r.Hi, dst[end].Hi)
		end++
	}
	if at == end {
		dst = append(dst, Run{})
		copy(dst[at+1:], dst[at:])
		dst[at] = r
		return dst
	}
	dst[at] = r
	return append(dst[:at+1], dst[end:]...)
}
