package models

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"scbench/kernels"
	"scbench/stages/gguf"
	"scbench/stages/models/safetensors"
)

// form is how a tensor that a file stores otherwise becomes what is computed from: rows of the type dt, made when they are read. It may
// be called from several goroutines at once.
type form struct {
	dt  kernels.DType
	row func(dst []byte, i int)
}

// ggufTensors are the tensors of a GGUF file under the names that they have in Hugging Face's checkpoints; those that no rule renames
// keep theirs, so that a model which leaves them unused is refused.
type ggufTensors struct {
	*gguf.File
	bound map[string]ggufBound
	names []string // sorted
	forms map[string]form

	mu    sync.Mutex
	fault error // the first that was met in decoding
}

// ggufBound is a tensor, or a part of one, under its other name.
type ggufBound struct {
	safetensors.Tensor
	from string // its name in the file
}

// ggufPart is a tensor of the file, or some of its rows, on its way to another name.
type ggufPart struct {
	gguf.Tensor
	of string // the file's name of all of it
}

// Names lists the tensors in ascending order.
func (g *ggufTensors) Names() []string { return slices.Clone(g.names) }

// Tensor returns a tensor as it is stored; its DType is the name of its type in llama.cpp.
func (g *ggufTensors) Tensor(name string) (safetensors.Tensor, bool) {
	t, ok := g.bound[name]
	return t.Tensor, ok
}

// Forget gives back the memory of the tensor that name is, or is a part of.
func (g *ggufTensors) Forget(name string) { g.File.Forget(g.bound[name].from) }

// add binds p to a name. Row i of what is computed from is row order(i), if there is an order, whose numbers went through apply, if there
// is one. A vector is one row of its numbers, and order is of those.
func (g *ggufTensors) add(name string, p ggufPart, order func(int) int, apply func([]float32)) {
	if _, twice := g.bound[name]; twice {
		name = unknownTensor + p.of
	}
	g.bound[name] = ggufBound{safetensors.Tensor{Name: name, DType: p.Type.String(), Shape: p.Shape, Data: p.Data}, p.of}
	g.names = append(g.names, name)
	if !p.Type.Quantised() && order == nil && apply == nil {
		return
	}
	dt := kernels.F16 // what quantised numbers are rounded to: see ggufQuantNote
	switch {
	case p.Type == gguf.F32 || apply != nil:
		dt = kernels.F32
	case p.Type == gguf.BF16:
		dt = kernels.BF16
	}
	g.forms[name] = form{dt, g.maker(p, dt, order, apply)}
}

// maker returns what makes rows of type dt.
func (g *ggufTensors) maker(p ggufPart, dt kernels.DType, order func(int) int, apply func([]float32)) func([]byte, int) {
	cols := p.Shape[len(p.Shape)-1]
	values, size := p.Type.Block()
	stride := cols / values * size
	if len(p.Shape) == 1 && order != nil {
		return func(dst []byte, _ int) {
			for i := range cols {
				copy(dst[i*size:][:size], p.Data[order(i)*size:])
			}
		}
	}
	return func(dst []byte, i int) {
		if order != nil {
			i = order(i)
		}
		src := p.Data[i*stride:][:stride]
		if !p.Type.Quantised() && apply == nil {
			copy(dst, src)
			return
		}
		scratch := rowPool.Get().(*[]float32)
		defer rowPool.Put(scratch)
		if cap(*scratch) < cols {
			*scratch = make([]float32, cols)
		}
		x := (*scratch)[:cols]
		widen(x, p.Type, src)
		if apply != nil {
			apply(x)
		}
		kernels.Narrow(dst, dt, x)
		if dt == kernels.F16 {
			g.check(p.Name, x)
		}
	}
}

// rowPool keeps decoded rows between calls.
var rowPool = sync.Pool{New: func() any { return new([]float32) }}

// widen writes the numbers of a row as float32.
func widen(dst []float32, t gguf.Type, src []byte) {
	switch t {
	case gguf.F32:
		kernels.Widen(dst, kernels.F32, src)
	case gguf.F16:
		kernels.Widen(dst, kernels.F16, src)
	case gguf.BF16:
		kernels.Widen(dst, kernels.BF16, src)
	default:
		gguf.Decode(dst, t, src)
	}
}

// mostF16 is where rounding to binary16 begins to overflow.
const mostF16 = 65520

// check records that numbers do not fit binary16, which no weight of a trained model comes near.
func (g *ggufTensors) check(name string, x []float32) {
	for _, v := range x {
		if v < mostF16 && v > -mostF16 {
			continue
		}
		g.mu.Lock()
		if g.fault == nil {
			g.fault = fmt.Errorf("weights of %s: tensor %q has %v, which no weight is: the file is damaged; download it again", g.Name(), name, v)
		}
		g.mu.Unlock()
		return
	}
}

// err is what was wrong with rows that have been read.
func (g *ggufTensors) err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fault
}

// rows is the rows [lo, hi) of p, whose other dimensions it keeps.
func (p ggufPart) rows(lo, hi int) ggufPart {
	size := len(p.Data) / p.Shape[0]
	shape := slices.Clone(p.Shape)
	shape[0] = hi - lo
	return ggufPart{gguf.Tensor{Name: p.Name, Type: p.Type, Shape: shape, Data: p.Data[lo*size : hi*size : hi*size]}, p.of}
}

// shaped is p in another shape of as many numbers; of quantised types rows must stay whole, and it stays as it is.
func (p ggufPart) shaped(shape ...int) ggufPart {
	n := 1
	for _, d := range shape {
		n *= d
	}
	if n == p.Len() && !p.Type.Quantised() {
		p.Shape = shape
	}
	return p
}

// unturned is the order that undoes what llama.cpp's converter does to queries and keys of a Llama, whose RoPE turns halves of a head
// there and neighbours here: row 2j+s of a head was row s·dim/2+j.
func unturned(dim int) func(int) int {
	return func(i int) int {
		head, k := i/dim*dim, i%dim
		return head + k%(dim/2)*2 + k/(dim/2)
	}
}

// lessOne undoes the one that the converter adds to Gemma's norms.
func lessOne(x []float32) {
	for i := range x {
		x[i]--
	}
}

// logDecay is the inverse of how A is made of A_log: the float32 of which -e^x, rounded, is A, or where there is none the nearest.
func logDecay(x []float32) {
	for i, a := range x {
		x[i] = logOf(a)
	}
}

func logOf(a float32) float32 {
	log := float32(math.Log(float64(-a)))
	for _, way := range []float32{-math.MaxFloat32, math.MaxFloat32} {
		for near, n := log, 0; n < 3; n++ {
			if float32(-math.Exp(float64(near))) == a {
				return near
			}
			near = math.Nextafter32(near, way)
		}
	}
	return log
}

// vectorOf reads a small tensor that configuration is made of; nil if there is none of one dimension and type F32.
func vectorOf(f *gguf.File, name string) []float64 {
	t, ok := f.Tensor(name)
	if !ok || t.Type != gguf.F32 || len(t.Shape) != 1 {
		return nil
	}
	out := make([]float64, t.Len())
	for i := range out {
		out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:])))
	}
	return out
}
