package kernels

import "fmt"

// checkLen panics unless a slice of got values is exactly a matrix [rows, cols]. It is small enough to inline,
// so the check costs two compares and the message is built only when it is needed.
func checkLen(kernel, arg string, got, rows, cols int) {
	if rows < 0 || cols < 0 || got != rows*cols {
		panicShape(kernel, arg, got, rows, cols)
	}
}

//go:noinline
func panicShape(kernel, arg string, got, rows, cols int) {
	panic(fmt.Sprintf("kernels: %s: %s has %d values, want [%d, %d] = %d", kernel, arg, got, rows, cols, rows*cols))
}

// ceilDiv is a/b rounded up.
func ceilDiv(a, b int) int {
	if a == 0 {
		return 0
	}
	return (a + b - 1) / b
}
