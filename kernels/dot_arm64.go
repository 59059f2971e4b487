package kernels

// dotNEON writes the inner products of x[n] with rows of w[n], stride values apart, to out[rows], or adds them to what
// is there if add is not 0. n and rows are positive.
//
//go:noescape
func dotNEON(out, x, w *float32, stride, n, rows, add int)

// dotBF16NEON is dotNEON for rows of BF16, with the same result as widening them first.
//
//go:noescape
func dotBF16NEON(out, x *float32, w *uint16, stride, n, rows, add int)

// dot4NEON is dotNEON, bit for bit, for four rows of x, xstride values apart, and of out, ostride apart; rows is a
// positive multiple of 4.
//
//go:noescape
func dot4NEON(out *float32, ostride int, x *float32, xstride int, w *float32, stride, n, rows, add int)
