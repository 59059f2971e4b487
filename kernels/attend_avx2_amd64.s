#include "textflag.h"
#include "sum8_amd64.h"

// Constants of e^x: log2 e, ln 2 in two parts, the polynomial of exp.go from the top, 1, exp.go's expMin, -Inf,
// and the bits of a mask's byte.
DATA exp8Const<>+0(SB)/4, $1.44269504088896341
DATA exp8Const<>+4(SB)/4, $0.693147182464599609375
DATA exp8Const<>+8(SB)/4, $-1.904654299957768e-09
DATA exp8Const<>+12(SB)/4, $1.9875691500e-4
DATA exp8Const<>+16(SB)/4, $1.3981999507e-3
DATA exp8Const<>+20(SB)/4, $8.3334519073e-3
DATA exp8Const<>+24(SB)/4, $4.1665795894e-2
DATA exp8Const<>+28(SB)/4, $1.6666665459e-1
DATA exp8Const<>+32(SB)/4, $5.0000001201e-1
DATA exp8Const<>+36(SB)/4, $1.0
DATA exp8Const<>+40(SB)/4, $-87.33654
DATA exp8Const<>+44(SB)/4, $0xff800000
GLOBL exp8Const<>(SB), RODATA|NOPTR, $48

DATA byteBits<>+0(SB)/8, $0x0000000200000001
DATA byteBits<>+8(SB)/8, $0x0000000800000004
DATA byteBits<>+16(SB)/8, $0x0000002000000010
DATA byteBits<>+24(SB)/8, $0x0000008000000040
GLOBL byteBits<>(SB), RODATA|NOPTR, $32

#define EXP8CONST \
	VBROADCASTSS exp8Const<>+40(SB), Y4 \
	VBROADCASTSS exp8Const<>+36(SB), Y5 \
	VBROADCASTSS exp8Const<>+32(SB), Y6 \
	VBROADCASTSS exp8Const<>+28(SB), Y7 \
	VBROADCASTSS exp8Const<>+24(SB), Y8 \
	VBROADCASTSS exp8Const<>+20(SB), Y9 \
	VBROADCASTSS exp8Const<>+16(SB), Y10 \
	VBROADCASTSS exp8Const<>+12(SB), Y11 \
	VBROADCASTSS exp8Const<>+8(SB), Y12 \
	VBROADCASTSS exp8Const<>+4(SB), Y13 \
	VBROADCASTSS exp8Const<>+0(SB), Y14

// EXP8 replaces Y0 ≤ 0 by e^Y0, 0 below expMin; NaN stays NaN. Y1 and Y2 are scratch. The factor 2^n is built in
// its exponent bits, and the comparison (not less than) clears what is too small.
#define EXP8 \
	VMULPS       Y14, Y0, Y1    \
	VROUNDPS     $0, Y1, Y1     \
	VMOVAPS      Y11, Y2        \
	VCMPPS       $5, Y4, Y0, Y4 \
	VFNMADD231PS Y1, Y13, Y0    \
	VFNMADD231PS Y1, Y12, Y0    \
	VFMADD213PS  Y10, Y0, Y2    \
	VFMADD213PS  Y9, Y0, Y2     \
	VFMADD213PS  Y8, Y0, Y2     \
	VFMADD213PS  Y7, Y0, Y2     \
	VFMADD213PS  Y6, Y0, Y2     \
	VFMADD213PS  Y5, Y0, Y2     \
	VFMADD213PS  Y5, Y0, Y2     \
	VCVTPS2DQ    Y1, Y1         \
	VPSLLD       $23, Y1, Y1    \
	VPADDD       Y5, Y1, Y1     \
	VMULPS       Y1, Y2, Y0     \
	VANDPS       Y4, Y0, Y0     \
	VBROADCASTSS exp8Const<>+40(SB), Y4

// ALL8 leaves in all lanes of Ya the OP (sum or maximum) over its lanes.
#define ALL8(OP, Ya, Xa, Yt, Xt) \
	VEXTRACTF128 $1, Ya, Xt     \
	OP           Xt, Xa, Xa     \
	VSHUFPS      $0x4e, Xa, Xa, Xt \
	OP           Xt, Xa, Xa     \
	VSHUFPS      $0xb1, Xa, Xa, Xt \
	OP           Xt, Xa, Xa     \
	VBROADCASTSS Xa, Ya

// NEXT8 takes the lowest key off the mask R15: its weight goes to Y8 and the address of its values to R13.
#define NEXT8 \
	TZCNTQ       R15, R13         \
	BLSRQ        R15, R15         \
	VBROADCASTSS (DX)(R13*4), Y8  \
	IMULQ        AX, R13          \
	ADDQ         R8, R13

// func attendRowAVX2(o, q, k, v *float32, d int, mask uint64, m, l *float32)
TEXT ·attendRowAVX2(SB), NOSPLIT, $256-64
	// Scores of the keys, eight at a time where one of the eight is visible. What is not becomes -Inf.
	LEAQ         scores-256(SP), DX
	MOVQ         d+32(FP), AX
	SHLQ         $2, AX
	LEAQ         (AX)(AX*2), BX
	MOVQ         mask+40(FP), R15
	MOVQ         k+16(FP), DI
	MOVQ         $8, R12
	VMOVDQU      byteBits<>(SB), Y14
	VBROADCASTSS exp8Const<>+44(SB), Y13
	VMOVAPS      Y13, Y12 // the maximum

keys:
	VMOVAPS Y13, Y0
	TESTB   R15, R15
	JEQ     skip
	MOVQ    DI, R8
	LEAQ    (R8)(AX*4), R9
	ZERO8
	MOVQ    q+8(FP), SI
	MOVQ    AX, CX

dot:
	VMOVUPS (SI), Y8
	ADDQ    $32, SI
	FMA4(R8, Y0, Y1, Y2, Y3)
	FMA4(R9, Y4, Y5, Y6, Y7)
	SUBQ    $32, CX
	JNE     dot
	SUM8
	VMOVD        R15, X1
	VPBROADCASTD X1, Y1
	VPAND        Y14, Y1, Y1
	VPCMPEQD     Y14, Y1, Y1
	VBLENDVPS    Y1, Y0, Y13, Y0
	VMAXPS       Y0, Y12, Y12

skip:
	VMOVUPS Y0, (DX)
	ADDQ    $32, DX
	LEAQ    (DI)(AX*8), DI
	SHRQ    $8, R15
	DECQ    R12
	JNE     keys

	// Weights e^(score-max), which is 0 for -Inf.
	ALL8(VMAXPS, Y12, X12, Y1, X1)
	MOVQ         m+48(FP), SI
	VBROADCASTSS (SI), Y0
	VMAXPS       Y12, Y0, Y15
	VMOVSS       X15, (SI)
	VSUBPS       Y15, Y0, Y0
	EXP8CONST
	EXP8
	MOVQ         l+56(FP), SI
	VMULSS       (SI), X0, X3
	VMOVSS       X3, (SI)
	MOVQ         o+0(FP), DI
	MOVQ         AX, CX

	// The old output and sum fade by e^(old max - max).
fade:
	VMULPS  (DI), Y0, Y1
	VMULPS  32(DI), Y0, Y2
	VMOVUPS Y1, (DI)
	VMOVUPS Y2, 32(DI)
	ADDQ    $64, DI
	SUBQ    $64, CX
	JNE     fade

	LEAQ   scores-256(SP), DX
	VXORPS Y3, Y3, Y3
	MOVQ   $8, R12

weights:
	VMOVUPS (DX), Y0
	VSUBPS  Y15, Y0, Y0
	EXP8
	VMOVUPS Y0, (DX)
	VADDPS  Y0, Y3, Y3
	ADDQ    $32, DX
	DECQ    R12
	JNE     weights
	ALL8(VADDPS, Y3, X3, Y1, X1)
	VADDSS  (SI), X3, X3
	VMOVSS  X3, (SI)

	// Values: o += Σ weight·v, the visible keys in order.
	LEAQ scores-256(SP), DX
	MOVQ o+0(FP), DI
	MOVQ v+24(FP), R8
	MOVQ AX, CX
	CMPQ CX, $256
	JLT  narrow

wide:
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	VMOVUPS 128(DI), Y4
	VMOVUPS 160(DI), Y5
	VMOVUPS 192(DI), Y6
	VMOVUPS 224(DI), Y7
	MOVQ    mask+40(FP), R15

wideKeys:
	NEXT8
	VFMADD231PS (R13), Y8, Y0
	VFMADD231PS 32(R13), Y8, Y1
	VFMADD231PS 64(R13), Y8, Y2
	VFMADD231PS 96(R13), Y8, Y3
	VFMADD231PS 128(R13), Y8, Y4
	VFMADD231PS 160(R13), Y8, Y5
	VFMADD231PS 192(R13), Y8, Y6
	VFMADD231PS 224(R13), Y8, Y7
	TESTQ       R15, R15
	JNE         wideKeys
	VMOVUPS     Y0, (DI)
	VMOVUPS     Y1, 32(DI)
	VMOVUPS     Y2, 64(DI)
	VMOVUPS     Y3, 96(DI)
	VMOVUPS     Y4, 128(DI)
	VMOVUPS     Y5, 160(DI)
	VMOVUPS     Y6, 192(DI)
	VMOVUPS     Y7, 224(DI)
	ADDQ        $256, DI
	ADDQ        $256, R8
	SUBQ        $256, CX
	CMPQ        CX, $256
	JGE         wide

narrow:
	TESTQ   CX, CX
	JEQ     done
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	MOVQ    mask+40(FP), R15

narrowKeys:
	NEXT8
	VFMADD231PS (R13), Y8, Y0
	VFMADD231PS 32(R13), Y8, Y1
	TESTQ       R15, R15
	JNE         narrowKeys
	VMOVUPS     Y0, (DI)
	VMOVUPS     Y1, 32(DI)
	ADDQ        $64, DI
	ADDQ        $64, R8
	SUBQ        $64, CX
	JMP         narrow

done:
	VZEROUPPER
	RET
