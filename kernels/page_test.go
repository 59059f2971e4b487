package kernels

import (
	"bytes"
	"fmt"
	"math"
	"testing"
)

// TestPageStore: what is stored is what is loaded, rounded as the format has it, and nothing else of the page changes.
func TestPageStore(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for _, d := range []int{0, 1, 7, 16, 32, 48, 64, 80, 128} {
				for _, r := range [][2]int{{0, 64}, {0, 1}, {63, 1}, {3, 0}, {16, 16}, {5, 37}, {16, 33}} {
					rng := newRand(uint64(d))
					slot, n := r[0], r[1]
					page := alignedBytes(PageBytes(format, d))
					k, v := normals(rng, n*d), normals(rng, n*d)
					StoreSlots(format, page, slot, k, v, n, d)
					got, zero := make([]float32, d), make([]float32, d)
					round := func(x []float32) []float32 {
						y := append([]float32(nil), x...)
						for i := range y {
							if format == PageBF16 {
								y[i] = fromBF16(nearestBF16(y[i]))
							}
						}
						return y
					}
					for j := range PageTokens {
						wantK, wantV := zero, zero
						if j >= slot && j < slot+n {
							wantK, wantV = round(k[(j-slot)*d:][:d]), round(v[(j-slot)*d:][:d])
						}
						what := fmt.Sprintf("%v d=%d slots %v slot %d", format, d, r, j)
						LoadK(format, got, page, j)
						sameBits(t, what+" key", got, wantK)
						LoadV(format, got, page, j)
						sameBits(t, what+" value", got, wantV)
					}
				}
			}
		}
	})
}

// TestPageStoreTiers: pages of bf16 are the portable twin's byte for byte, whatever the numbers' bits: ties, numbers without an exponent,
// NaN and infinities in keys, and in values too of some slots.
func TestPageStoreTiers(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		tier := Tier()
		defer selectTier(t, tier)
		for _, d := range []int{16, 32, 80, 128} {
			for _, wild := range []bool{false, true} {
				rng := newRand(uint64(d))
				draw := func() float32 {
					u := rng.Uint32()
					switch rng.IntN(4) {
					case 0:
						u &= 0x807fffff // no exponent
					case 1:
						u = u&0xffff0000 | 0x8000 // a tie
					}
					return math.Float32frombits(u)
				}
				k, v := make([]float32, PageTokens*d), make([]float32, PageTokens*d)
				for i := range k {
					for k[i], v[i] = draw(), draw(); !wild && !(math.Abs(float64(v[i])) < 3e38); {
						v[i] = draw()
					}
				}
				for _, at := range [][2]int{{0, PageTokens}, {3, 37}, {48, 16}} {
					slot, n := at[0], at[1]
					got, want := alignedBytes(PageBytes(PageBF16, d)), alignedBytes(PageBytes(PageBF16, d))
					StoreSlots(PageBF16, got, slot, k[:n*d], v[:n*d], n, d)
					selectTier(t, "go")
					StoreSlots(PageBF16, want, slot, k[:n*d], v[:n*d], n, d)
					selectTier(t, tier)
					if !bytes.Equal(got, want) {
						t.Errorf("d=%d, slots %v, wild %v: not the twin's page", d, at, wild)
					}
				}
			}
		}
	})
}

// TestPageNotFinite: a value that is not finite spoils its key instead.
func TestPageNotFinite(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for _, bad := range []float32{nan, inf, ninf, 3.4e38} {
				if format == PageF32 && bad == 3.4e38 {
					continue // only bf16 rounds it to infinity
				}
				const d = 32
				page := alignedBytes(PageBytes(format, d))
				k, v := filled(PageTokens*d, 1), filled(PageTokens*d, 2)
				v[9*d+17] = bad
				StoreSlots(format, page, 0, k, v, PageTokens, d)
				got := make([]float32, d)
				for j := range PageTokens {
					LoadK(format, got, page, j)
					if isNaN := got[0] != got[0]; isNaN != (j == 9) || got[1] != 1 {
						t.Errorf("%v %v: key %d is %v", format, bad, j, got)
					}
					LoadV(format, got, page, j)
					for c, x := range got {
						if want := map[bool]float32{true: 0, false: 2}[j == 9 && c == 17]; x != want {
							t.Errorf("%v %v: value %d[%d] is %v", format, bad, j, c, x)
						}
					}
				}
			}
		}
	})
}

func TestKeyScoresPage(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		for _, format := range pageFormats {
			for _, d := range []int{0, 1, 7, 8, 32, 64, 80, 128} {
				for _, n := range []int{0, 1, 15, 16, 17, 64} {
					rng := newRand(uint64(d + n))
					page := alignedBytes(PageBytes(format, d))
					q := normals(rng, d)
					StoreSlots(format, page, 0, normals(rng, PageTokens*d), normals(rng, PageTokens*d), PageTokens, d)
					got, want, key := make([]float32, n), make([]float64, n), make([]float32, d)
					KeyScoresPage(format, got, page, q, 0.5)
					for j := range want {
						LoadK(format, key, page, j)
						for c := range key {
							want[j] += 0.5 * float64(q[c]) * float64(key[c])
						}
					}
					near(t, fmt.Sprintf("%v d=%d n=%d", format, d, n), got, want, 4e-6)
				}
			}
		}
	})
}

func TestMinMaxPage(t *testing.T) {
	for _, format := range pageFormats {
		const d = 33
		rng := newRand(5)
		page := alignedBytes(PageBytes(format, d))
		StoreSlots(format, page, 0, normals(rng, PageTokens*d), normals(rng, PageTokens*d), PageTokens, d)
		for _, r := range [][2]int{{0, 64}, {3, 3}, {16, 32}, {63, 64}} {
			lo, hi := make([]float32, d), make([]float32, d)
			MinMaxPage(format, lo, hi, page, r[0], r[1])
			wantLo, wantHi, key := filled(d, inf), filled(d, ninf), make([]float32, d)
			for j := r[0]; j < r[1]; j++ {
				LoadK(format, key, page, j)
				for c, x := range key {
					wantLo[c] = float32(math.Min(float64(wantLo[c]), float64(x)))
					wantHi[c] = float32(math.Max(float64(wantHi[c]), float64(x)))
				}
			}
			sameBits(t, "lo", lo, wantLo)
			sameBits(t, "hi", hi, wantHi)
		}
	}
}

func TestPageShapes(t *testing.T) {
	page, x := alignedBytes(PageBytes(PageBF16, 8)), make([]float32, 8)
	mustPanic(t, "length", func() { StoreSlot(PageF32, page, 0, x, x, 8) })
	mustPanic(t, "slot", func() { StoreSlot(PageBF16, page, 64, x, x, 8) })
	mustPanic(t, "format", func() { StoreSlot(7, page, 0, x, x, 8) })
	mustPanic(t, "k", func() { StoreSlot(PageBF16, page, 0, x[1:], x, 8) })
	mustPanic(t, "n", func() { KeyScoresPage(PageBF16, make([]float32, 65), page, x, 1) })
	mustPanic(t, "range", func() { MinMaxPage(PageBF16, x, x, page, 3, 2) })
	shifted := alignedBytes(len(page) + 64)
	mustPanic(t, "alignment", func() { StoreSlot(PageBF16, shifted[4:4+len(page)], 0, x, x, 8) })
}
