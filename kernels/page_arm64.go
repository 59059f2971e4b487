package kernels

func storeBF16(keys, vals []uint16, k, v []float32, n, d int) { storeBF16Go(keys, vals, k, v, n, d) }

func pageScores(f PageFormat, dst []float32, page []byte, q []float32, scale float32) {
	d := len(q)
	if f != PageBF16 || active == tierGo || d == 0 || len(dst) == 0 {
		pageScoresGo(f, dst, page, q, scale)
		return
	}
	k, _ := pageBF16(page, d)
	dotBF16NEON(&dst[0], &q[0], &k[0], d, d, len(dst), 0)
	scaleBy(dst, scale)
}
