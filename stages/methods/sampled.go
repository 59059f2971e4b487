package methods

import (
	"slices"

	"scbench/kernels"
	"scbench/stages/kv"
)

// sampled observes an even sample of a prompt's queries: all rows at multiples of stride, which doubles whenever there would be more
// than most of them. So which rows it holds depends on the length of the prompt alone.
type sampled struct {
	most    int
	stride  int
	queries []float32 // [rows, query heads, Dim]; only ever appended to, or replaced
	rows    int
}

func newSample(most int) *sampled { return &sampled{most: most, stride: 1} }

// Observe takes in the rows that fall into the sample.
func (o *sampled) Observe(_ *kernels.Pool, _ *kv.Layer, q []float32, first, rows int) {
	width := len(q) / rows
	for r := range rows {
		if (first+r)%o.stride != 0 {
			continue
		}
		if o.rows == o.most {
			o.thin(width)
			if (first+r)%o.stride != 0 {
				continue
			}
		}
		o.queries = append(o.queries, q[r*width:(r+1)*width]...)
		o.rows++
	}
}

// thin lets every other row go.
func (o *sampled) thin(width int) {
	var kept []float32
	for r := 0; r < o.rows; r += 2 {
		kept = append(kept, o.queries[r*width:(r+1)*width]...)
	}
	o.queries, o.rows, o.stride = kept, (o.rows+1)/2, 2*o.stride
}

// Fork returns a copy; both share the rows that they have.
func (o *sampled) Fork() kv.Observer {
	f := *o
	f.queries = slices.Clip(o.queries)
	return &f
}

// MarshalBinary writes the sample.
func (o *sampled) MarshalBinary() ([]byte, error) {
	w := newState()
	w.number(o.stride)
	w.number(o.rows)
	w.floats(o.queries)
	return w.data, nil
}

// UnmarshalBinary reads the sample, in the place of what the observer has seen.
func (o *sampled) UnmarshalBinary(data []byte) error {
	r := readState(data)
	o.stride, o.rows, o.queries = r.number(), r.number(), r.floats()
	r.check(o.stride > 0 && o.stride&(o.stride-1) == 0 && o.rows <= o.most)
	r.check(o.rows == 0 && o.queries == nil || o.rows > 0 && o.queries != nil && len(o.queries)%o.rows == 0)
	return r.end()
}

// group returns the sample's queries of all query heads of KV head h of l, [rows · heads, Dim].
func (o *sampled) group(l *kv.Layer, h int) []float32 {
	if o.rows == 0 {
		return nil
	}
	width := len(o.queries) / o.rows
	each := width / l.Heads()
	out := make([]float32, 0, o.rows*each)
	for r := range o.rows {
		out = append(out, o.queries[r*width+h*each:][:each]...)
	}
	return out
}
