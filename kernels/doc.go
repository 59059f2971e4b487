// Package kernels holds the arithmetic of a transformer as plain functions: slices in and out, output first,
// shapes last. It knows no model, no cache and no method, and imports only the standard library and x/sys/cpu.
//
// Every kernel keeps four promises.
//
//   - One order. An output element is one reduction in a fixed order that depends only on the row's own inputs:
//     not on the batch it is in, the tile it falls into, or the number of threads. A row computed alone and the
//     same row in a batch are equal bit for bit.
//   - One tier. The instruction set is chosen once per process (Tier, Select). Tiers agree within rounding, not
//     bit for bit; within a tier results are the same on every machine. The "go" tier therefore rounds every
//     product before it adds (the float32(a*b) in the sources), because the compiler would otherwise fuse the two
//     on arm64 and not on amd64.
//   - Shapes are checked. A slice of the wrong length is a bug of the caller and panics with both shapes.
//   - Nothing is kept. Kernels hold no state and allocate nothing per element; only Pool has a life of its own.
//
// Each kernel is a set of files: x.go has the contract and the portable twin, which is always compiled; kernels
// with assembly add x_amd64.go or x_arm64.go (choice of tier and stubs), the .s beside it and x_other.go (the twin
// alone).
package kernels
