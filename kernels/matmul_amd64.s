#include "textflag.h"
#include "sum16_amd64.h"

// func dot1x16AVX512(sums *[16]float32, x, w *float32, stride, n int)
TEXT ·dot1x16AVX512(SB), NOSPLIT, $0-40
	MOVQ sums+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ w+16(FP), R8
	MOVQ stride+24(FP), AX
	MOVQ n+32(FP), R12
	SHLQ $2, AX
	ROWS16
	ZERO16
	KXNORW K1, K1, K1
	MOVQ R12, CX
	SHRQ $4, CX
	JEQ  tail1

loop1:
	VMOVUPS (SI), Z16
	ADDQ    $64, SI
	FMA16
	DECQ    CX
	JNE     loop1

tail1:
	TAIL
	JEQ       done1
	VMOVUPS.Z (SI), K1, Z16
	FMA16

done1:
	SUM16
	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET

// FOUR loads a vector of each of four rows of w into Z20 … Z23, and ROWS4 multiplies them with those of four rows
// of x. The tail's loads are masked, which costs a slot of the multipliers, so the main loop's are not.
#define FOUR \
	VMOVUPS (R8), Z20       \
	VMOVUPS (R8)(AX*1), Z21 \
	VMOVUPS (R8)(AX*2), Z22 \
	VMOVUPS (R8)(BX*1), Z23

#define FOURTAIL \
	VMOVUPS.Z (R8), K1, Z20       \
	VMOVUPS.Z (R8)(AX*1), K1, Z21 \
	VMOVUPS.Z (R8)(AX*2), K1, Z22 \
	VMOVUPS.Z (R8)(BX*1), K1, Z23

#define ROW(a, b, c, d) \
	VFMADD231PS Z20, Z16, K1, a \
	VFMADD231PS Z21, Z16, K1, b \
	VFMADD231PS Z22, Z16, K1, c \
	VFMADD231PS Z23, Z16, K1, d

#define ROWS4 \
	VMOVUPS (SI), Z16       \
	ROW(Z0, Z1, Z2, Z3)     \
	VMOVUPS (SI)(DX*1), Z16 \
	ROW(Z4, Z5, Z6, Z7)     \
	VMOVUPS (SI)(DX*2), Z16 \
	ROW(Z8, Z9, Z10, Z11)   \
	VMOVUPS (SI)(R9*1), Z16 \
	ROW(Z12, Z13, Z14, Z15)

#define ROWS4TAIL \
	VMOVUPS.Z (SI), K1, Z16       \
	ROW(Z0, Z1, Z2, Z3)           \
	VMOVUPS.Z (SI)(DX*1), K1, Z16 \
	ROW(Z4, Z5, Z6, Z7)           \
	VMOVUPS.Z (SI)(DX*2), K1, Z16 \
	ROW(Z8, Z9, Z10, Z11)         \
	VMOVUPS.Z (SI)(R9*1), K1, Z16 \
	ROW(Z12, Z13, Z14, Z15)

// func dot4x16AVX512(sums *float32, sstride int, x *float32, xstride int, w *float32, stride, n, add int)
TEXT ·dot4x16AVX512(SB), NOSPLIT, $0-64
	MOVQ sums+0(FP), DI
	MOVQ sstride+8(FP), R10
	MOVQ xstride+24(FP), DX
	MOVQ w+32(FP), R11
	MOVQ stride+40(FP), AX
	MOVQ n+48(FP), R12
	SHLQ $2, AX
	SHLQ $2, DX
	SHLQ $2, R10
	LEAQ (AX)(AX*2), BX
	LEAQ (DX)(DX*2), R9
	LEAQ (DI)(R10*2), R14
	MOVQ $4, R15

group4:
	MOVQ   x+16(FP), SI
	MOVQ   R11, R8
	ZERO16
	KXNORW K1, K1, K1
	MOVQ   R12, CX
	SHRQ   $4, CX
	JEQ    tail4

loop4:
	FOUR
	ROWS4
	ADDQ $64, R8
	ADDQ $64, SI
	DECQ CX
	JNE  loop4

tail4:
	TAIL
	JEQ done4
	FOURTAIL
	ROWS4TAIL

done4:
	SUM16
	VEXTRACTF32X4 $1, Z0, X1
	VEXTRACTF32X4 $2, Z0, X2
	VEXTRACTF32X4 $3, Z0, X3
	CMPQ          add+56(FP), $0
	JEQ           store4
	VADDPS        (DI), X0, X0
	VADDPS        (DI)(R10*1), X1, X1
	VADDPS        (R14), X2, X2
	VADDPS        (R14)(R10*1), X3, X3

store4:
	VMOVUPS X0, (DI)
	VMOVUPS X1, (DI)(R10*1)
	VMOVUPS X2, (R14)
	VMOVUPS X3, (R14)(R10*1)
	ADDQ    $16, DI
	ADDQ    $16, R14
	LEAQ    (R11)(AX*4), R11
	DECQ    R15
	JNE     group4
	VZEROUPPER
	RET

// BF16FMA16 is FMA16 for rows of BF16, which are the upper halves of float32.
#define WIDE(M, a) \
	VPMOVZXWD.Z M, K1, Z17      \
	VPSLLD      $16, Z17, Z17   \
	VFMADD231PS Z17, Z16, K1, a

#define BF16FMA4(P, a, b, c, d) \
	WIDE((P), a)       \
	WIDE((P)(AX*1), b) \
	WIDE((P)(AX*2), c) \
	WIDE((P)(BX*1), d) \
	ADDQ $32, P

#define BF16FMA16 \
	BF16FMA4(R8, Z0, Z1, Z2, Z3)     \
	BF16FMA4(R9, Z4, Z5, Z6, Z7)     \
	BF16FMA4(R10, Z8, Z9, Z10, Z11)  \
	BF16FMA4(R11, Z12, Z13, Z14, Z15)

// func dot1x16BF16AVX512(sums *[16]float32, x *float32, w *uint16, stride, n int)
TEXT ·dot1x16BF16AVX512(SB), NOSPLIT, $0-40
	MOVQ sums+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ w+16(FP), R8
	MOVQ stride+24(FP), AX
	MOVQ n+32(FP), R12
	SHLQ $1, AX
	ROWS16
	ZERO16
	KXNORW K1, K1, K1
	MOVQ R12, CX
	SHRQ $4, CX
	JEQ  tailb

loopb:
	VMOVUPS (SI), Z16
	ADDQ    $64, SI
	BF16FMA16
	DECQ    CX
	JNE     loopb

tailb:
	TAIL
	JEQ       doneb
	VMOVUPS.Z (SI), K1, Z16
	BF16FMA16

doneb:
	SUM16
	VMOVUPS Z0, (DI)
	VZEROUPPER
	RET

// func widenBF16AVX512(dst *float32, src *byte, n int)
TEXT ·widenBF16AVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SHRQ $4, CX

loopw:
	VPMOVZXWD (SI), Z0
	VPSLLD    $16, Z0, Z0
	VMOVDQU32 Z0, (DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	DECQ      CX
	JNE       loopw
	VZEROUPPER
	RET
