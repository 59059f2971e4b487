package models

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"scbench/kernels"
)

// Rope is the rotary position embedding of a model: for every position and every pair of rotated dimensions, the
// cosine and sine of position·frequency.
//
// Same as the reference: transformers 4.52.4. Frequencies, angles and tables are formed in float32 step by step as
// there, because at position 10⁶ the rounding of a float32 angle is 3·10⁻² and a model has been trained with it; only
// powers, cosines and sines are correctly rounded here, where PyTorch's are off by at most one unit in the last place.
type Rope struct {
	dim   int
	scale float32               // what cos and sin are multiplied by
	freqs func(n int) []float32 // [dim/2], for a sequence of n tokens
	moves bool                  // freqs depends on n
	pairs bool                  // neighbours 2t and 2t+1 turn together, not t and t+Dim()/2
	notes []string
}

// A ropeKind is one way to choose the frequencies: a value of ropeKinds.
type ropeKind struct {
	name  string
	keys  []string // fields of rope_scaling it reads
	needs []string // those of them it cannot do without
	make  func(c Config, dim int) (Rope, error)
	moves bool // its frequencies depend on the length
}

// NewRope returns the rotary embedding that a configuration asks for. A kind that is not known, a field of rope_scaling
// that nobody understands, and a field that the kind needs and does not find are errors.
func NewRope(c Config) (Rope, error) {
	s := c.RopeScaling
	i := slices.IndexFunc(ropeKinds, func(k ropeKind) bool { return k.name == s.Kind || s.Kind == "" && k.name == "default" })
	if i < 0 {
		var names []string
		for _, k := range ropeKinds {
			names = append(names, k.name)
		}
		return Rope{}, fmt.Errorf("%s: RoPE of type %q is not supported; supported are %s", c.Name, s.Kind, strings.Join(names, ", "))
	}
	kind := ropeKinds[i]
	if len(s.unknown) > 0 {
		return Rope{}, fmt.Errorf("%s: rope_scaling of type %s has unknown fields %q; they may change what it computes", c.Name, kind.name, s.unknown)
	}
	for _, key := range kind.needs {
		if !slices.Contains(s.given, key) {
			return Rope{}, fmt.Errorf("%s: rope_scaling of type %s needs %s", c.Name, kind.name, key)
		}
	}
	dim := int(float64(c.HeadDim) * c.PartialRotary)
	if dim < 2 || dim%2 != 0 {
		return Rope{}, fmt.Errorf("%s: head_dim %d times partial_rotary_factor %v is %d rotated dimensions, want an even number above 0", c.Name, c.HeadDim, c.PartialRotary, dim)
	}
	r, err := kind.make(c, dim)
	if err != nil {
		return Rope{}, fmt.Errorf("%s: rope_scaling of type %s: %w", c.Name, kind.name, err)
	}
	r.dim, r.moves = dim, kind.moves
	for _, key := range s.given {
		if !slices.Contains(kind.keys, key) && !slices.Contains(alwaysRead, key) {
			r.notes = append(r.notes, fmt.Sprintf("%s: rope_scaling.%s is ignored: type %s does not use it", c.Name, key, kind.name))
		}
	}
	return r, nil
}

// alwaysRead lists fields of rope_scaling that are not a kind's own.
var alwaysRead = []string{"type", "rope_type", "rope_theta", "partial_rotary_factor", "finetuned"}

// Dim is the number of dimensions of each head that are rotated: the first Dim of them.
func (r Rope) Dim() int { return r.dim }

// LengthDependent says that the frequencies depend on the length of the sequence.
func (r Rope) LengthDependent() bool { return r.moves }

// Notes says in what this configuration is computed in another way than its words suggest; usually it is empty.
func (r Rope) Notes() []string { return r.notes }

// InvFreq returns the Dim()/2 frequencies, in radians per position, that hold for a sequence of seqLen tokens. Only
// dynamic and longrope depend on the length; there the whole sequence, not only its end, is rotated by them. The slice
// may be shared and must not be changed.
func (r Rope) InvFreq(seqLen int) []float32 { return r.freqs(seqLen) }

// Tables fills cos and sin, both [len(positions), Dim()/2], for a sequence of seqLen tokens in all. They include the
// attention scaling of yarn and longrope.
func (r Rope) Tables(cos, sin []float32, positions []int32, seqLen int) {
	fillTables(cos, sin, positions, r.freqs(seqLen), r.scale)
}

// Turn rotates vectors x [len(from), width], each from one position to another, in a sequence of seqLen tokens. The angle is the difference of
// those that Tables goes by; the attention scaling is in x already.
func (r Rope) Turn(x []float32, from, to []int32, seqLen int) {
	if len(from) == 0 {
		return
	}
	freqs, width := r.freqs(seqLen), len(x)/len(from)
	half := r.dim / 2
	cos, sin := make([]float32, half), make([]float32, half)
	for i := range from {
		known := i > 0 && from[i] == from[i-1] && to[i] == to[i-1] // as with the heads of one row
		for j, f := range freqs {
			if known {
				break
			}
			s, c := math.Sincos(float64(float32(to[i])*f) - float64(float32(from[i])*f))
			cos[j], sin[j] = float32(c), float32(s)
		}
		r.turn(x[i*width:(i+1)*width], cos, sin, 1, 1, width, half)
	}
}

// turn is kernels.Rotate of the pairs that turn together.
func (r Rope) turn(x, cos, sin []float32, rows, heads, dim, half int) {
	if r.pairs {
		kernels.RotatePairs(x, cos, sin, rows, heads, dim, half)
		return
	}
	kernels.Rotate(x, cos, sin, rows, heads, dim, half)
}

// rotate applies RoPE to x [rows, width], heads of dim numbers; the tables are [rows, Dim()/2].
func (r Rope) rotate(p *kernels.Pool, x, cos, sin []float32, rows, width, dim int) {
	half := r.dim / 2
	kernels.Split(p, rows, width, func(lo, hi int) {
		r.turn(x[lo*width:hi*width], cos[lo*half:hi*half], sin[lo*half:hi*half], hi-lo, width/dim, dim, half)
	})
}

func fillTables(cos, sin []float32, positions []int32, freqs []float32, scale float32) {
	half := len(freqs)
	if len(cos) != len(positions)*half || len(sin) != len(cos) {
		panic(fmt.Sprintf("models: RoPE tables of %d and %d values, want [%d, %d]", len(cos), len(sin), len(positions), half))
	}
	for i, p := range positions {
		for j, f := range freqs {
			s, c := math.Sincos(float64(float32(p) * f))
			cos[i*half+j] = float32(c) * scale
			sin[i*half+j] = float32(s) * scale
		}
	}
}
