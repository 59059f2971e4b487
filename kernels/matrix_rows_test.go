package kernels

import (
	"bytes"
	"slices"
	"testing"
)

// TestMatrixOf: a matrix whose rows are made when they are read is the one that has them.
func TestMatrixOf(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	rng := newRand(3)
	for _, dt := range []DType{F32, BF16, F16} {
		for _, rows := range []int{1, 31, 48, 100} {
			const cols = 70
			data := encode(dt, normals(rng, rows*cols), 0)
			plain, err := NewMatrix(dt, data, rows, cols)
			if err != nil {
				t.Fatal(err)
			}
			size := cols * dt.Size()
			made := NewMatrixOf(dt, rows, cols, func(dst []byte, i int) { copy(dst, data[i*size:][:size]) })
			for _, lo := range []int{0, rows / 3} {
				a, b := plain.Slice(lo, rows), made.Slice(lo, rows)
				x, y := make([]float32, cols), make([]float32, cols)
				for i := range rows - lo {
					a.Row(x, i)
					b.Row(y, i)
					if !slices.Equal(x, y) {
						t.Fatalf("%v: row %d of [%d:%d] differs", dt, i, lo, rows)
					}
				}
				for _, p := range []Precision{PrecisionF32, PrecisionBF16} {
					v, w := a.Pack(pool, p), b.Pack(pool, p)
					if !bytes.Equal(v.packed, w.packed) || v.stored != w.stored {
						t.Errorf("%v [%d:%d] packed as %v differs", dt, lo, rows, p)
					}
					v.Close()
					w.Close()
				}
			}
		}
	}
}
