package kernels

// Each call of the probe lasts less than 100 µs on a slow processor.
const probeVectors = 5000 // times 24 multiply-adds of vectors

func probeBF16() int { return 0 }

func probeF32() int {
	if active == tierGo {
		return probeF32Go()
	}
	probeVectorsNEON(probeVectors)
	return probeVectors * 24 * 2 * 4
}

// probeRead reads data, of which there are a multiple of 256 bytes.
func probeRead(data []byte) {
	if active == tierGo {
		probeReadGo(data)
		return
	}
	probeReadNEON(&data[0], len(data))
}

//go:noescape
func probeVectorsNEON(n int)

//go:noescape
func probeReadNEON(data *byte, n int)
