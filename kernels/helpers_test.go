package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// TestMain lets CI run the whole suite, and the packages above it, on a tier of its choice.
func TestMain(m *testing.M) {
	if err := Select(""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// sizes lie on either side of every unroll, vector and chunk.
var sizes = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300}

// eachTier runs a test once on every tier of this machine.
func eachTier(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	before := Tier()
	defer selectTier(t, before)
	for _, name := range Tiers() {
		selectTier(t, name)
		t.Run(name, f)
	}
}

func selectTier(t testing.TB, name string) {
	t.Helper()
	if err := Select(name); err != nil {
		t.Fatal(err)
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func normals(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func filled(n int, v float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = v
	}
	return x
}

var (
	nan  = float32(math.NaN())
	inf  = float32(math.Inf(1))
	ninf = float32(math.Inf(-1))
)

// sameBits fails unless the two slices are equal bit for bit.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: [%d] = %v (%#x), want %v (%#x)", what, i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// near fails unless |got-want| ≤ tolerance·(1+|want|) everywhere.
func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if diff := math.Abs(float64(got[i]) - want[i]); !(diff <= tolerance*(1+math.Abs(want[i]))) {
			t.Fatalf("%s: [%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

// mustPanic fails unless f panics with a message of this package.
func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if message, ok := recover().(string); !ok || len(message) < 9 || message[:9] != "kernels: " {
			t.Errorf("%s: panic %q, want a shape error", what, message)
		}
	}()
	f()
}

// encode stores x as little-endian values of type dt, truncating, at an offset that makes the bytes unaligned.
func encode(dt DType, x []float32, offset int) []byte {
	data := make([]byte, offset, offset+4*len(x))
	for _, v := range x {
		u := math.Float32bits(v)
		switch dt {
		case F32:
			data = binary.LittleEndian.AppendUint32(data, u)
		case BF16:
			data = binary.LittleEndian.AppendUint16(data, uint16(u>>16))
		case F16:
			data = binary.LittleEndian.AppendUint16(data, toFloat16(u))
		}
	}
	return data[offset:]
}

// toFloat16 truncates to a normal binary16, or to zero.
func toFloat16(u uint32) uint16 {
	e := int(u>>23&0xff) - 127 + 15
	if e <= 0 || e >= 31 {
		return uint16(u >> 16 & 0x8000)
	}
	return uint16(u>>16&0x8000) | uint16(e)<<10 | uint16(u>>13&0x3ff)
}

func randomMatrix(t testing.TB, rng *rand.Rand, dt DType, rows, cols, offset int) *Matrix {
	t.Helper()
	w, err := NewMatrix(dt, encode(dt, normals(rng, rows*cols), offset), rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func doubles(x []float32) []float64 {
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = float64(v)
	}
	return d
}

// times computes out[m, w.Rows] = x·wᵀ.
func times(p *Pool, out, x []float32, w *Weight, m int) {
	var rows Rows
	rows.Set(p, w.Precision, x, m, w.Cols)
	Product(p, out, &rows, w, Epilogue{})
}
