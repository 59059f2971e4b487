package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// threadSeconds is the processor time of this thread, which other processes on the machine do not lengthen.
func threadSeconds() float64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return math.NaN()
	}
	return float64(t.Sec) + 1e-9*float64(t.Nsec)
}

// benchmarkThread reports the best rate of f, which does work units of something a call, in processor time.
func benchmarkThread(b *testing.B, work float64, unit string, f func()) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := math.Inf(1)
	for b.Loop() {
		start := threadSeconds()
		f()
		best = min(best, threadSeconds()-start)
	}
	b.ReportMetric(work/best/1e9, unit)
	b.ReportMetric(0, "ns/op")
	return best
}

// flashCase is a kernel to measure: the tier and the format of its pages.
type flashCase struct {
	tier   string
	format PageFormat
}

func flashCases() (cases []flashCase) {
	for _, t := range Tiers()[1:] {
		if t != "amx" {
			cases = append(cases, flashCase{t, PageF32})
			continue
		}
		cases = append(cases, flashCase{t, PageBF16})
	}
	return cases
}

// context is n random keys and values of one head in pages.
func context(b testing.TB, rng *rand.Rand, format PageFormat, n, d int) []PageView {
	pages := make([]PageView, n/PageTokens)
	memory, free := hugeBytes(len(pages) * PageBytes(format, d))
	b.Cleanup(free)
	k, v := normals(rng, PageTokens*d), normals(rng, PageTokens*d)
	for i := range pages {
		pages[i].Data = memory[i*PageBytes(format, d):][:PageBytes(format, d)]
		StoreSlots(format, pages[i].Data, 0, k, v, PageTokens, d)
	}
	return pages
}

// causal attends n queries to n keys in blocks of rows; keep tells which earlier pages a block reads, nil: all.
func causal(a *Attention, out, q []float32, pages []PageView, n, d, rows int, format PageFormat, keep func(block, page int) bool) {
	masks := make([]uint64, rows/PageTokens*rows)
	for i := range masks {
		switch seen := i%rows - i/rows*PageTokens + 1; {
		case seen >= PageTokens:
			masks[i] = ^uint64(0)
		case seen > 0:
			masks[i] = 1<<seen - 1
		}
	}
	views := make([]PageView, 0, len(pages))
	for from := 0; from < n; from += rows {
		first := from / PageTokens
		views = views[:0]
		for p := range first {
			if keep == nil || keep(from/rows, p) {
				views = append(views, pages[p])
			}
		}
		for p := range rows / PageTokens {
			views = append(views, PageView{Data: pages[first+p].Data, Mask: masks[p*rows : (p+1)*rows]})
		}
		a.Start(format, q[from*d:(from+rows)*d], 1/float32(math.Sqrt(float64(d))), rows, d)
		a.Pages(views)
		a.Finish(out[from*d : (from+rows)*d])
	}
}

// BenchmarkAttentionCausal counts 4·d operations for each of n²/2 pairs.
func BenchmarkAttentionCausal(b *testing.B) {
	before := Tier()
	defer selectTier(b, before)
	for _, c := range flashCases() {
		for _, d := range []int{64, 128, 96} {
			for _, n := range []int{4096, 32768} {
				b.Run(fmt.Sprintf("%s/%v/d=%d/n=%d", c.tier, c.format, d, n), func(b *testing.B) {
					selectTier(b, c.tier)
					rng := newRand(1)
					pages, q, out := context(b, rng, c.format, n, d), normals(rng, n*d), make([]float32, n*d)
					var a Attention
					benchmarkThread(b, 2*float64(d)*float64(n)*float64(n), "GFLOP/s", func() {
						causal(&a, out, q, pages, n, d, 512, c.format, nil)
					})
				})
			}
		}
	}
}

// BenchmarkAttentionSparse keeps a share of the blocks of 128 queries by 128 keys, the first and the last ones always. It
// reports how much faster that is than to keep all in blocks of 512 queries, and the share of what the number of blocks
// promises.
func BenchmarkAttentionSparse(b *testing.B) {
	before := Tier()
	defer selectTier(b, before)
	const rows = 128
	for _, c := range flashCases() {
		for _, d := range []int{64, 128} {
			for _, n := range []int{32768, 131072} {
				if n > 32768 && c.format == PageF32 {
					continue
				}
				selectTier(b, c.tier)
				rng := newRand(1)
				pages, q, out := context(b, rng, c.format, n, d), normals(rng, n*d), make([]float32, n*d)
				var a Attention
				dense := math.Inf(1)
				runtime.LockOSThread()
				for range 3 {
					start := threadSeconds()
					causal(&a, out, q, pages, n, d, 512, c.format, nil)
					dense = min(dense, threadSeconds()-start)
				}
				runtime.UnlockOSThread()
				for _, percent := range []int{100, 25, 10, 5} {
					b.Run(fmt.Sprintf("%s/%v/d=%d/n=%d/kept=%d%%", c.tier, c.format, d, n, percent), func(b *testing.B) {
						selectTier(b, c.tier)
						keep := func(block, page int) bool {
							column := page / (rows / PageTokens)
							return column == 0 || int(uint32((block*7919+column*104729)*2654435761)>>8%100) < percent
						}
						total, kept := 0, 0
						for block := range n / rows {
							for column := range block + 1 {
								total++
								if column == block || keep(block, column*rows/PageTokens) {
									kept++
								}
							}
						}
						best := benchmarkThread(b, 0, "GFLOP/s", func() { causal(&a, out, q, pages, n, d, rows, c.format, keep) })
						b.ReportMetric(dense/best, "speedup")
						b.ReportMetric(dense/best*float64(kept)/float64(total), "of-promised")
					})
				}
			}
		}
	}
}

// BenchmarkAttentionBlock is queries that stay in the cache with pages that do: the kernel itself.
func BenchmarkAttentionBlock(b *testing.B) {
	before := Tier()
	defer selectTier(b, before)
	for _, c := range flashCases() {
		for _, d := range []int{64, 128} {
			for _, rows := range []int{16, 128, 512} {
				b.Run(fmt.Sprintf("%s/%v/d=%d/rows=%d", c.tier, c.format, d, rows), func(b *testing.B) {
					selectTier(b, c.tier)
					rng := newRand(1)
					pages, q := context(b, rng, c.format, 4*PageTokens, d), normals(rng, rows*d)
					var a Attention
					a.Start(c.format, q, 1/float32(math.Sqrt(float64(d))), rows, d)
					a.Pages(pages)
					benchmarkThread(b, 4*4*PageTokens*float64(rows*d*50), "GFLOP/s", func() {
						for range 50 {
							a.Pages(pages)
						}
					})
				})
			}
		}
	}
}

// BenchmarkAttentionBranches is one step of eight branches, two query heads each, that share a context of 16K tokens:
// together and one after the other.
func BenchmarkAttentionBranches(b *testing.B) {
	before := Tier()
	defer selectTier(b, before)
	const branches, group, n, d = 8, 2, 16384, 64
	for _, c := range flashCases() {
		for _, together := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/%v/together=%v", c.tier, c.format, together), func(b *testing.B) {
				selectTier(b, c.tier)
				rng := newRand(1)
				pages, q, out := context(b, rng, c.format, n, d), normals(rng, branches*group*d), make([]float32, branches*group*d)
				var a Attention
				rows := group
				if together {
					rows *= branches
				}
				seconds := benchmarkThread(b, 4*d*branches*group*n, "GFLOP/s", func() {
					for from := 0; from < len(q); from += rows * d {
						a.Start(c.format, q[from:from+rows*d], 0.125, rows, d)
						a.Pages(pages)
						a.Finish(out[from : from+rows*d])
					}
				})
				b.ReportMetric(1e6*seconds, "µs")
			})
		}
	}
}

// BenchmarkReadMemory is the limit of what follows: the inner products of vectors with memory that no cache holds.
func BenchmarkReadMemory(b *testing.B) {
	before := Tier()
	defer selectTier(b, before)
	for _, name := range Tiers()[1:] {
		b.Run(name, func(b *testing.B) {
			selectTier(b, name)
			const d = 1024
			memory, free := hugeBytes(512 << 20)
			b.Cleanup(free)
			x, q, sums := values[float32](memory), make([]float32, d), [16]float32{}
			for i := range x {
				x[i] = 1
			}
			benchmarkThread(b, float64(len(memory)), "GB/s", func() {
				for i := 0; i < len(x); i += 16 * d {
					dotRows(sums[:], q, x[i:][:16*d], 1)
				}
			})
		})
	}
}

// BenchmarkAttentionDecode is few queries over a context larger than the caches.
func BenchmarkAttentionDecode(b *testing.B) {
	before := Tier()
	defer selectTier(b, before)
	for _, c := range flashCases() {
		for _, d := range []int{64, 128} {
			for _, rows := range []int{1, 4, 16} {
				b.Run(fmt.Sprintf("%s/%v/d=%d/rows=%d", c.tier, c.format, d, rows), func(b *testing.B) {
					selectTier(b, c.tier)
					rng := newRand(1)
					bytes := 512 << 20
					pages := context(b, rng, c.format, bytes/PageBytes(c.format, d)*PageTokens, d)
					q, out := normals(rng, rows*d), make([]float32, rows*d)
					var a Attention
					benchmarkThread(b, float64(bytes), "GB/s", func() {
						a.Start(c.format, q, 1/float32(math.Sqrt(float64(d))), rows, d)
						a.Pages(pages)
						a.Finish(out)
					})
				})
			}
		}
	}
}
