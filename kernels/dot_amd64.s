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
