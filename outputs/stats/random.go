package stats

// random is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), written out so that no
// later library draws other numbers from the same seed.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
