package kernels

// attendRows runs the assembly where d fills whole vectors. It works on one row at a time, which keeps rows
// independent without further care; the page stays in the first-level cache between them.
func attendRows(o, m, l, q, k, v []float32, mask []uint64, rows, d int) {
	if active == tierGo || d == 0 || d%16 != 0 {
		attendRowsGo(o, m, l, q, k, v, mask, rows, d)
		return
	}
	for r, visible := range mask {
		switch {
		case visible == 0:
		case active >= tierAVX512:
			attendRowAVX512(&o[r*d], &q[r*d], &k[0], &v[0], d, visible, &m[r], &l[r])
		default:
			attendRowAVX2(&o[r*d], &q[r*d], &k[0], &v[0], d, visible, &m[r], &l[r])
		}
	}
}

// attendRowAVX512 is AttendPage for one row; d is a positive multiple of 16 and mask is not 0. Of the keys that
// are not visible it may load what shares a group of sixteen with a visible one, and drops it.
//
//go:noescape
func attendRowAVX512(o, q, k, v *float32, d int, mask uint64, m, l *float32)

// attendRowAVX2 is the same with groups of eight keys.
//
//go:noescape
func attendRowAVX2(o, q, k, v *float32, d int, mask uint64, m, l *float32)
