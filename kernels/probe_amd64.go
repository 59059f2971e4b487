package kernels

// Each call of the probes lasts less than 100 µs on a slow processor.
const (
	probeTiles   = 2500 // times four products of tiles
	probeVectors = 8000 // times 24 multiply-adds of vectors in AVX-512, 12 in AVX2
)

// probeBF16 returns the operations it has done.
func probeBF16() int {
	probeTilesAMX(probeTiles)
	return probeTiles * 4 * 2 * tileRows * 16 * stepCols
}

func probeF32() int {
	switch {
	case active >= tierAVX512:
		probeVectorsAVX512(probeVectors)
		return probeVectors * 24 * 2 * 16
	case active == tierAVX2:
		probeVectorsAVX2(probeVectors)
		return probeVectors * 12 * 2 * 8
	}
	return probeF32Go()
}

// probeRead reads data, of which there are a multiple of 512 bytes.
func probeRead(data []byte) {
	if active >= tierAVX2 {
		probeReadAVX2(&data[0], len(data))
		return
	}
	probeReadGo(data)
}

//go:noescape
func probeTilesAMX(n int)

//go:noescape
func probeVectorsAVX512(n int)

//go:noescape
func probeVectorsAVX2(n int)

//go:noescape
func probeReadAVX2(data *byte, n int)
