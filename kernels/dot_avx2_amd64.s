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
