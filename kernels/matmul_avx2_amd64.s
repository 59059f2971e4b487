#include "textflag.h"
#include "sum8_amd64.h"

// laneMask<>[8-n:] are eight lanes of which the first n are set, n < 8.
DATA laneMask<>+0(SB)/8, $-1
DATA laneMask<>+8(SB)/8, $-1
DATA laneMask<>+16(SB)/8, $-1
DATA laneMask<>+24(SB)/8, $-1
DATA laneMask<>+32(SB)/8, $0
DATA laneMask<>+40(SB)/8, $0
DATA laneMask<>+48(SB)/8, $0
DATA laneMask<>+56(SB)/8, $0
GLOBL laneMask<>(SB), RODATA|NOPTR, $64

// TAIL8 sets Y15 to the first n mod 8 lanes, for n in R12, and the flags to whether there are any.
#define TAIL8 \
	MOVQ    R12, CX            \
	ANDQ    $7, CX             \
	LEAQ    laneMask<>+32(SB), R13 \
	NEGQ    CX                 \
	VMOVUPS (R13)(CX*4), Y15   \
	TESTQ   CX, CX

// TAILFMA4 is FMA4 for the lanes of Y15.
#define TAILFMA4(P, a, b, c, d) \
	VMASKMOVPS  (P), Y15, Y9        \
	VFMADD231PS Y9, Y8, a           \
	VMASKMOVPS  (P)(AX*1), Y15, Y9  \
	VFMADD231PS Y9, Y8, b           \
	VMASKMOVPS  (P)(AX*2), Y15, Y9  \
	VFMADD231PS Y9, Y8, c           \
	VMASKMOVPS  (P)(BX*1), Y15, Y9  \
	VFMADD231PS Y9, Y8, d

// func dot1x16AVX2(sums *[16]float32, x, w *float32, stride, n int)
TEXT ·dot1x16AVX2(SB), NOSPLIT, $0-40
	MOVQ sums+0(FP), DI
	MOVQ w+16(FP), R11
	MOVQ stride+24(FP), AX
	MOVQ n+32(FP), R12
	SHLQ $2, AX
	LEAQ (AX)(AX*2), BX
	MOVQ $2, DX

group1:
	MOVQ x+8(FP), SI
	MOVQ R11, R8
	LEAQ (R8)(AX*4), R9
	LEAQ (R9)(AX*4), R11
	ZERO8
	MOVQ R12, CX
	SHRQ $3, CX
	JEQ  tail1

loop1:
	VMOVUPS (SI), Y8
	ADDQ    $32, SI
	FMA4(R8, Y0, Y1, Y2, Y3)
	FMA4(R9, Y4, Y5, Y6, Y7)
	DECQ    CX
	JNE     loop1

tail1:
	TAIL8
	JEQ        done1
	VMASKMOVPS (SI), Y15, Y8
	TAILFMA4(R8, Y0, Y1, Y2, Y3)
	TAILFMA4(R9, Y4, Y5, Y6, Y7)

done1:
	SUM8
	VMOVUPS Y0, (DI)
	ADDQ    $32, DI
	DECQ    DX
	JNE     group1
	VZEROUPPER
	RET

// PAIR8 multiplies a vector of one row of w in Y10 with two rows of x in Y8 and Y9.
#define PAIR8(a, b) \
	VFMADD231PS Y10, Y8, a \
	VFMADD231PS Y10, Y9, b

// func dot2x16AVX2(sums *float32, sstride int, x *float32, xstride int, w *float32, stride, n, add int)
TEXT ·dot2x16AVX2(SB), NOSPLIT, $0-64
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
	MOVQ $4, R15

group2:
	MOVQ x+16(FP), SI
	MOVQ R11, R8
	ZERO8
	MOVQ R12, CX
	SHRQ $3, CX
	JEQ  tail2

loop2:
	VMOVUPS (SI), Y8
	VMOVUPS (SI)(DX*1), Y9
	VMOVUPS (R8), Y10
	PAIR8(Y0, Y4)
	VMOVUPS (R8)(AX*1), Y10
	PAIR8(Y1, Y5)
	VMOVUPS (R8)(AX*2), Y10
	PAIR8(Y2, Y6)
	VMOVUPS (R8)(BX*1), Y10
	PAIR8(Y3, Y7)
	ADDQ    $32, SI
	ADDQ    $32, R8
	DECQ    CX
	JNE     loop2

tail2:
	TAIL8
	JEQ        done2
	VMASKMOVPS (SI), Y15, Y8
	VMASKMOVPS (SI)(DX*1), Y15, Y9
	VMASKMOVPS (R8), Y15, Y10
	PAIR8(Y0, Y4)
	VMASKMOVPS (R8)(AX*1), Y15, Y10
	PAIR8(Y1, Y5)
	VMASKMOVPS (R8)(AX*2), Y15, Y10
	PAIR8(Y2, Y6)
	VMASKMOVPS (R8)(BX*1), Y15, Y10
	PAIR8(Y3, Y7)

done2:
	SUM8
	VEXTRACTF128 $1, Y0, X1
	CMPQ         add+56(FP), $0
	JEQ          store2
	VADDPS       (DI), X0, X0
	VADDPS       (DI)(R10*1), X1, X1

store2:
	VMOVUPS X0, (DI)
	VMOVUPS X1, (DI)(R10*1)
	ADDQ    $16, DI
	LEAQ    (R11)(AX*4), R11
	DECQ    R15
	JNE     group2
	VZEROUPPER
	RET

// WIDE8 adds to a the products of Y8 with eight values of BF16, the upper halves of float32.
#define WIDE8(M, a) \
	VPMOVZXWD   M, Y9       \
	VPSLLD      $16, Y9, Y9 \
	VFMADD231PS Y9, Y8, a

#define BF16FMA4(P, a, b, c, d) \
	WIDE8((P), a)       \
	WIDE8((P)(AX*1), b) \
	WIDE8((P)(AX*2), c) \
	WIDE8((P)(BX*1), d) \
	ADDQ $16, P

// func dot1x16BF16AVX2(sums *[16]float32, x *float32, w *uint16, stride, n int)
TEXT ·dot1x16BF16AVX2(SB), NOSPLIT, $0-40
	MOVQ sums+0(FP), DI
	MOVQ w+16(FP), R11
	MOVQ stride+24(FP), AX
	SHLQ $1, AX
	LEAQ (AX)(AX*2), BX
	MOVQ $2, DX

groupb:
	MOVQ x+8(FP), SI
	MOVQ n+32(FP), CX
	MOVQ R11, R8
	LEAQ (R8)(AX*4), R9
	LEAQ (R9)(AX*4), R11
	ZERO8
	SHRQ $3, CX

loopb:
	VMOVUPS (SI), Y8
	ADDQ    $32, SI
	BF16FMA4(R8, Y0, Y1, Y2, Y3)
	BF16FMA4(R9, Y4, Y5, Y6, Y7)
	DECQ    CX
	JNE     loopb
	SUM8
	VMOVUPS Y0, (DI)
	ADDQ    $32, DI
	DECQ    DX
	JNE     groupb
	VZEROUPPER
	RET

// func widenBF16AVX2(dst *float32, src *byte, n int)
TEXT ·widenBF16AVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SHRQ $4, CX

loopw:
	VPMOVZXWD (SI), Y0
	VPMOVZXWD 16(SI), Y1
	VPSLLD    $16, Y0, Y0
	VPSLLD    $16, Y1, Y1
	VMOVDQU   Y0, (DI)
	VMOVDQU   Y1, 32(DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	DECQ      CX
	JNE       loopw
	VZEROUPPER
	RET
