package kernels

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"
)

// small lists the small kernels as functions of n random values, for what all of them must keep: run writes its
// results over x and y. exact says that tiers agree bit for bit.
var small = []struct {
	name  string
	exact bool
	run   func(x, y []float32) []float32
}{
	{"Add", true, func(x, y []float32) []float32 { Add(x, y); return x }},
	{"SiLUMul", false, func(x, y []float32) []float32 { SiLUMul(x, y); return x }},
	{"RMSNorm", false, func(x, y []float32) []float32 { RMSNorm(x, x, y, 1e-5, 1, len(x)); return x }},
	{"GatedRMSNorm", false, func(x, y []float32) []float32 {
		GatedRMSNorm(x, y, y, 1e-5, 1, len(x), max(1, len(x)))
		return x
	}},
	{"Rotate", true, func(x, y []float32) []float32 {
		half := len(x) / 2
		Rotate(x, y[:half], y[half:2*half], 1, 1, len(x), half)
		return x
	}},
	{"Softmax", false, func(x, y []float32) []float32 { Softmax(x); return x }},
	{"LogSumExp", false, func(x, y []float32) []float32 { return []float32{float32(LogSumExp(x))} }},
	{"Argmax", true, func(x, y []float32) []float32 { return []float32{float32(Argmax(x))} }},
	{"KeyScores", false, func(x, y []float32) []float32 {
		dst := make([]float32, 1)
		KeyScores(dst, x, y, 0.5)
		return dst
	}},
	{"UpperBound", false, func(x, y []float32) []float32 {
		lo, hi := slices.Clone(y), slices.Clone(y)
		for i := range lo {
			lo[i], hi[i] = min(x[i], y[i]), max(x[i], y[i])
		}
		return []float32{UpperBound(x, lo, hi)}
	}},
	{"MinMax", true, func(x, y []float32) []float32 {
		lo, hi := make([]float32, len(x)), make([]float32, len(x))
		MinMax(lo, hi, slices.Concat(x, y), 2, len(x))
		return append(lo, hi...)
	}},
}

func TestSmallTiersAgree(t *testing.T) {
	rng := newRand(40)
	for _, k := range small {
		for _, n := range append(sizes[1:], 2*maxTestRun+17) {
			x, y := normals(rng, n), normals(rng, n)
			var want []float32
			eachTier(t, func(t *testing.T) {
				got := k.run(slices.Clone(x), slices.Clone(y))
				switch {
				case Tier() == "go":
					want = got
				case k.exact:
					sameBits(t, fmt.Sprintf("%s n=%d", k.name, n), got, want)
				default:
					near(t, fmt.Sprintf("%s n=%d", k.name, n), got, doubles(want), 2e-6*math.Sqrt(float64(1+n/64)))
				}
			})
		}
	}
}

// maxTestRun is longer than what one call of any assembly takes.
const maxTestRun = 1 << 14

// TestSmallBatchInvariance computes rows alone and in a batch.
func TestSmallBatchInvariance(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		rng := newRand(41)
		for _, n := range []int{1, 7, 8, 16, 23, 24, 48, 64, 65, 128} {
			const rows = 37
			x, y, w := normals(rng, rows*n), normals(rng, rows*n), normals(rng, n)
			all := func(f func(x, y []float32, rows int)) {
				t.Helper()
				batch := slices.Clone(x)
				f(batch, y, rows)
				for r := range rows {
					alone := slices.Clone(x[r*n:][:n])
					f(alone, y[r*n:][:n], 1)
					sameBits(t, fmt.Sprintf("n=%d row %d", n, r), batch[r*n:][:n], alone)
				}
			}
			all(func(x, y []float32, _ int) { SiLUMul(x, y) })
			all(func(x, y []float32, rows int) { RMSNorm(x, x, w, 1e-6, rows, n) })
			all(func(x, y []float32, rows int) { GatedRMSNorm(x, y, w, 1e-6, rows, n, n) })
			half := n / 2
			cos, sin := normals(rng, rows*half), normals(rng, rows*half)
			batch := slices.Clone(x)
			Rotate(batch, cos, sin, rows, 1, n, half)
			for r := range rows {
				RotateHalf(x[r*n:][:n], cos[r*half:][:half], sin[r*half:][:half], 1, n)
			}
			sameBits(t, fmt.Sprintf("Rotate n=%d", n), batch, x)

			scores, bounds := make([]float32, rows), make([]float32, rows)
			KeyScores(scores, w, x, 0.25)
			UpperBounds(bounds, w, x, y)
			for r := range rows {
				alone := make([]float32, 1)
				KeyScores(alone, w, x[r*n:], 0.25)
				sameBits(t, fmt.Sprintf("KeyScores n=%d", n), scores[r:][:1], alone)
				alone[0] = UpperBound(w, x[r*n:], y[r*n:])
				sameBits(t, fmt.Sprintf("UpperBounds n=%d", n), bounds[r:][:1], alone)
			}
		}
	})
}

func TestGatedRMSNorm(t *testing.T) {
	rng := newRand(42)
	eachTier(t, func(t *testing.T) {
		const rows, dim, group = 3, 96, 32
		gate, x, w := normals(rng, rows*dim), normals(rng, rows*dim), normals(rng, dim)
		want := make([]float64, rows*dim)
		for at := 0; at < len(want); at += group {
			sum := 0.0
			for i := at; i < at+group; i++ {
				g := float64(gate[i])
				want[i] = float64(x[i]) * g / (1 + math.Exp(-g))
				sum += want[i] * want[i]
			}
			for i := at; i < at+group; i++ {
				want[i] *= float64(w[i%dim]) / math.Sqrt(sum/group+1e-5)
			}
		}
		GatedRMSNorm(gate, x, w, 1e-5, rows, dim, group)
		near(t, "gated", gate, want, 1e-6)
		mustPanic(t, "group", func() { GatedRMSNorm(gate, x, w, 0, rows, dim, 36) })
	})
}

func TestSplit(t *testing.T) {
	pool := NewPool(3)
	defer pool.Close()
	for _, rows := range []int{0, 1, 2, 100, 5000} {
		for _, width := range []int{0, 1, 700, 1 << 20} {
			seen := make([]int32, rows)
			Split(pool, rows, width, func(lo, hi int) {
				for r := lo; r < hi; r++ {
					seen[r]++
				}
			})
			if i := slices.IndexFunc(seen, func(n int32) bool { return n != 1 }); i >= 0 {
				t.Errorf("rows=%d width=%d: row %d seen %d times", rows, width, i, seen[i])
			}
		}
	}
}

// eachBench runs a benchmark on every tier and reports bytes per second of the thread's processor time, the median of
// short runs.
func eachBench(b *testing.B, bytes int, f func()) {
	before := Tier()
	defer selectTier(b, before)
	for _, name := range Tiers() {
		selectTier(b, name)
		b.Run(name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var rates []float64
			for b.Loop() {
				start, n := threadTime(), 0
				var spent time.Duration
				for spent < 100*time.Microsecond {
					f()
					n++
					spent = threadTime() - start
				}
				rates = append(rates, float64(bytes)*float64(n)/spent.Seconds()/1e9)
			}
			slices.Sort(rates)
			b.ReportMetric(rates[len(rates)/2], "GB/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkSmall counts the bytes read and written once each.
func BenchmarkSmall(b *testing.B) {
	rng := newRand(43)
	const rows, dim = 16, 2048
	const n = rows * dim
	x, y, w := normals(rng, n), normals(rng, n), normals(rng, dim)
	run := func(name string, bytes int, f func()) {
		b.Run(name, func(b *testing.B) { eachBench(b, bytes, f) })
	}
	zero := make([]float32, n)
	out := make([]float32, n)
	run("Add", 12*n, func() { Add(out, zero) })
	run("SiLUMul", 12*n, func() { copy(out, x); SiLUMul(out, y) })
	run("RMSNorm", 8*n, func() { RMSNorm(out, x, w, 1e-6, rows, dim) })
	cos, sin := filled(rows*32, 1), make([]float32, rows*32)
	run("Rotate", 8*n, func() { Rotate(x, cos, sin, rows, dim/64, 64, 32) })
	run("Softmax", 8*n, func() { copy(out, x); Softmax(out) })
	run("LogSumExp", 4*n, func() { LogSumExp(x) })
	run("Argmax", 4*n, func() { Argmax(x) })
	run("MinMax", 4*n, func() { MinMax(out[:64], out[64:128], x, n/64, 64) })
	for _, d := range []int{64, 128} {
		run(fmt.Sprint("KeyScores/d=", d), 4*n, func() { KeyScores(out[:n/d], w[:d], x, 0.125) })
		run(fmt.Sprint("UpperBounds/d=", d), 8*n, func() { UpperBounds(out[:n/d], w[:d], x, y) })
	}
	bytes := make([]byte, 4*n)
	for _, dt := range []DType{BF16, F16} {
		run("Narrow/"+dt.String(), (4+dt.Size())*n, func() { Narrow(bytes[:dt.Size()*n], dt, x) })
		run("Widen/"+dt.String(), (4+dt.Size())*n, func() { Widen(out, dt, bytes[:dt.Size()*n]) })
	}
}
