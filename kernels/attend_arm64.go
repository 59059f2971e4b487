package kernels

// attendGroup is how many keys go together: of those that no row sees, only groups of so many cost nothing.
const attendGroup = 16

// attendRows takes four rows at a time, which share the reading of the page. Rows of a group that see the same keys
// share the values too; others take theirs alone, because a product with what a row does not see may be NaN. The bits
// are the same either way.
func attendRows(o, m, l, q, k, v []float32, mask []uint64, rows, d int) {
	if active == tierGo || d == 0 || d%4 != 0 {
		attendRowsGo(o, m, l, q, k, v, mask, rows, d)
		return
	}
	for r := 0; r < rows; r += 4 {
		n := min(4, rows-r)
		attendFour(o[r*d:], m[r:], l[r:], q[r*d:], k, v, mask[r:r+n], d)
	}
}

// attendFour is attendRows for the up to four rows that have a mask.
func attendFour(o, m, l, q, k, v []float32, mask []uint64, d int) {
	var scores, weights [4 * PageTokens]float32
	var fade [4]float32
	any, same := uint64(0), len(mask) == 4
	for _, seen := range mask {
		any |= seen
		same = same && seen == mask[0]
	}
	if any == 0 {
		return
	}
	for j := 0; j < PageTokens; j += attendGroup {
		switch {
		case any>>j&(1<<attendGroup-1) == 0:
		case len(mask) == 4:
			dot4NEON(&scores[j], PageTokens, &q[0], d, &k[j*d], d, d, attendGroup, 0)
		default:
			for i := range mask {
				dotNEON(&scores[i*PageTokens+j], &q[i*d], &k[j*d], d, d, attendGroup, 0)
			}
		}
	}
	for i, seen := range mask {
		if seen == 0 {
			continue
		}
		fade[i] = weighNEON(&scores[i*PageTokens], seen, &m[i], &l[i])
		if !same {
			mix1NEON(&o[i*d], &scores[i*PageTokens], fade[i], &v[0], d, seen)
		}
	}
	if same {
		interleaveNEON(&weights[0], &scores[0])
		mix4NEON(&o[0], &weights[0], &fade[0], &v[0], d, any)
	}
}

// weighNEON turns the scores of a page into weights e^(score-m) under the new running maximum m, 0 for keys that are
// not in the mask, whatever their score. It updates the sum l and returns the factor by which older weights fade.
//
//go:noescape
func weighNEON(scores *float32, mask uint64, m, l *float32) (fade float32)

// interleaveNEON transposes from[4, PageTokens].
//
//go:noescape
func interleaveNEON(to, from *float32)

// mix4NEON multiplies the rows of o[4, d] by fade[4] and adds the values v[PageTokens, d] of the keys in the mask, in
// order, with weights[PageTokens, 4]. d is a positive multiple of 4, and the mask is not 0.
//
//go:noescape
func mix4NEON(o, weights, fade, v *float32, d int, mask uint64)

// mix1NEON is mix4NEON for one row, with its weights[PageTokens].
//
//go:noescape
func mix1NEON(o, weights *float32, fade float32, v *float32, d int, mask uint64)
