//go:build !amd64

package kernels

func quantizeKeys(codes []uint32, scale, lo, x []float32, params DType, bits, dim int) {
	quantizeKeysGo(codes, scale, lo, x, params, bits, dim, 0)
}

func dequantizeKeys(x []float32, codes []uint32, scale, lo []float32, bits, dim int) {
	dequantizeKeysGo(x, codes, scale, lo, bits, dim, 0)
}

func quantizeValues(codes []uint32, scale, lo, x []float32, params DType, bits, groups int) {
	quantizeValuesGo(codes, scale, lo, x, params, bits, groups)
}

func dequantizeValues(x []float32, codes []uint32, scale, lo []float32, bits, groups int) {
	dequantizeValuesGo(x, codes, scale, lo, bits, groups)
}
