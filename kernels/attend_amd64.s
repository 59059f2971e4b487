#include "textflag.h"
#include "sum16_amd64.h"

// Constants of e^x: log2 e, ln 2 in two parts, the polynomial of exp.go from the top, 1, and exp.go's expMin.
DATA expConst<>+0(SB)/4, $1.44269504088896341
DATA expConst<>+4(SB)/4, $0.693147182464599609375
DATA expConst<>+8(SB)/4, $-1.904654299957768e-09
DATA expConst<>+12(SB)/4, $1.9875691500e-4
DATA expConst<>+16(SB)/4, $1.3981999507e-3
DATA expConst<>+20(SB)/4, $8.3334519073e-3
DATA expConst<>+24(SB)/4, $4.1665795894e-2
DATA expConst<>+28(SB)/4, $1.6666665459e-1
DATA expConst<>+32(SB)/4, $5.0000001201e-1
DATA expConst<>+36(SB)/4, $1.0
DATA expConst<>+40(SB)/4, $-87.33654
DATA expConst<>+44(SB)/4, $0xff800000 // -Inf
GLOBL expConst<>(SB), RODATA|NOPTR, $48

#define EXPCONST \
	VBROADCASTSS expConst<>+0(SB), Z16  \
	VBROADCASTSS expConst<>+4(SB), Z17  \
	VBROADCASTSS expConst<>+8(SB), Z18  \
	VBROADCASTSS expConst<>+12(SB), Z19 \
	VBROADCASTSS expConst<>+16(SB), Z20 \
	VBROADCASTSS expConst<>+20(SB), Z21 \
	VBROADCASTSS expConst<>+24(SB), Z22 \
	VBROADCASTSS expConst<>+28(SB), Z23 \
	VBROADCASTSS expConst<>+32(SB), Z24 \
	VBROADCASTSS expConst<>+36(SB), Z25 \
	VBROADCASTSS expConst<>+40(SB), Z26

// EXP replaces x ≤ 0 by e^x in the lanes of VISIBLE that are not below expMin, and by 0 elsewhere. NaN stays NaN.
// N, P and K5 are scratch.
#define EXP(x, VISIBLE, N, P) \
	VCMPPS       $5, Z26, x, K5 \ // not less than
	KANDW        VISIBLE, K5, K5 \
	VMULPS       Z16, x, N      \
	VRNDSCALEPS  $0, N, N       \
	VFNMADD231PS N, Z17, x      \
	VFNMADD231PS N, Z18, x      \
	VMOVAPS      Z19, P         \
	VFMADD213PS  Z20, x, P      \
	VFMADD213PS  Z21, x, P      \
	VFMADD213PS  Z22, x, P      \
	VFMADD213PS  Z23, x, P      \
	VFMADD213PS  Z24, x, P      \
	VFMADD213PS  Z25, x, P      \
	VFMADD213PS  Z25, x, P      \
	VSCALEFPS.Z  N, P, K5, x

// ALL leaves in all lanes of a the OP (sum or maximum) over its lanes. T is scratch.
#define ALL(OP, a, T) \
	VSHUFF64X2 $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFF64X2 $0xb1, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0x4e, a, a, T \
	OP         T, a, a        \
	VSHUFPS    $0xb1, a, a, T \
	OP         T, a, a

// NEXT takes the lowest key off the mask R15: its weight goes to Z16 and the address of its values to R13.
#define NEXT \
	TZCNTQ       R15, R13        \
	BLSRQ        R15, R15        \
	VBROADCASTSS (DX)(R13*4), Z16 \
	IMULQ        AX, R13         \
	ADDQ         R8, R13

// func attendRowAVX512(o, q, k, v *float32, d int, mask uint64, m, l *float32)
TEXT ·attendRowAVX512(SB), NOSPLIT, $256-64
	// Scores of the keys, sixteen at a time where one of the sixteen is visible.
	LEAQ   scores-256(SP), DX
	MOVQ   d+32(FP), AX
	SHLQ   $2, AX
	MOVQ   mask+40(FP), R15
	MOVQ   k+16(FP), DI
	KXNORW K1, K1, K1

keys:
	TESTW R15, R15
	JEQ   skip
	MOVQ  DI, R8
	ROWS16
	ZERO16
	MOVQ  q+8(FP), SI
	MOVQ  AX, CX

dot:
	VMOVUPS (SI), Z16
	ADDQ    $64, SI
	FMA16
	SUBQ    $64, CX
	JNE     dot
	SUM16
	VMOVUPS Z0, (DX)

skip:
	ADDQ $64, DX
	MOVQ AX, R13
	SHLQ $4, R13
	ADDQ R13, DI
	SHRQ $16, R15
	JNE  keys

	// Weights e^(score-max); 0 for the keys that are not visible, whose scores are not looked at.
	LEAQ         scores-256(SP), DX
	EXPCONST
	MOVQ         mask+40(FP), R15
	KMOVW        R15, K1
	SHRQ         $16, R15
	KMOVW        R15, K2
	SHRQ         $16, R15
	KMOVW        R15, K3
	SHRQ         $16, R15
	KMOVW        R15, K4
	VBROADCASTSS expConst<>+44(SB), Z0
	VMOVAPS      Z0, Z1
	VMOVAPS      Z0, Z2
	VMOVAPS      Z0, Z3
	VMOVUPS      (DX), K1, Z0
	VMOVUPS      64(DX), K2, Z1
	VMOVUPS      128(DX), K3, Z2
	VMOVUPS      192(DX), K4, Z3
	VMAXPS       Z0, Z1, Z4
	VMAXPS       Z2, Z3, Z5
	VMAXPS       Z4, Z5, Z4
	ALL(VMAXPS, Z4, Z5)
	MOVQ         m+48(FP), SI
	VBROADCASTSS (SI), Z6
	VMAXPS       Z4, Z6, Z4
	VMOVSS       X4, (SI)
	VSUBPS       Z4, Z6, Z6
	VSUBPS       Z4, Z0, Z0
	VSUBPS       Z4, Z1, Z1
	VSUBPS       Z4, Z2, Z2
	VSUBPS       Z4, Z3, Z3
	KXNORW       K6, K6, K6
	EXP(Z6, K6, Z8, Z9)
	EXP(Z0, K1, Z10, Z11)
	EXP(Z1, K2, Z12, Z13)
	EXP(Z2, K3, Z14, Z15)
	EXP(Z3, K4, Z8, Z9)
	VMOVUPS      Z0, (DX)
	VMOVUPS      Z1, 64(DX)
	VMOVUPS      Z2, 128(DX)
	VMOVUPS      Z3, 192(DX)
	VADDPS       Z0, Z1, Z0
	VADDPS       Z2, Z3, Z2
	VADDPS       Z0, Z2, Z0
	ALL(VADDPS, Z0, Z1)
	MOVQ         l+56(FP), SI
	VBROADCASTSS (SI), Z1
	VFMADD213PS  Z0, Z6, Z1
	VMOVSS       X1, (SI)

	// Values: o = o·fade + Σ weight·v, the visible keys in order, by turns into two sums.
	MOVQ o+0(FP), DI
	MOVQ v+24(FP), R8
	MOVQ AX, CX
	CMPQ CX, $256
	JLT  narrow

wide:
	VMULPS (DI), Z6, Z0
	VMULPS 64(DI), Z6, Z1
	VMULPS 128(DI), Z6, Z2
	VMULPS 192(DI), Z6, Z3
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	MOVQ   mask+40(FP), R15

wideKeys:
	NEXT
	VFMADD231PS (R13), Z16, Z0
	VFMADD231PS 64(R13), Z16, Z1
	VFMADD231PS 128(R13), Z16, Z2
	VFMADD231PS 192(R13), Z16, Z3
	TESTQ       R15, R15
	JEQ         wideDone
	NEXT
	VFMADD231PS (R13), Z16, Z8
	VFMADD231PS 64(R13), Z16, Z9
	VFMADD231PS 128(R13), Z16, Z10
	VFMADD231PS 192(R13), Z16, Z11
	TESTQ       R15, R15
	JNE         wideKeys

wideDone:
	VADDPS  Z8, Z0, Z0
	VADDPS  Z9, Z1, Z1
	VADDPS  Z10, Z2, Z2
	VADDPS  Z11, Z3, Z3
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	VMOVUPS Z3, 192(DI)
	ADDQ    $256, DI
	ADDQ    $256, R8
	SUBQ    $256, CX
	CMPQ    CX, $256
	JGE     wide

narrow:
	TESTQ  CX, CX
	JEQ    done
	VMULPS (DI), Z6, Z0
	VPXORQ Z8, Z8, Z8
	MOVQ   mask+40(FP), R15

narrowKeys:
	NEXT
	VFMADD231PS (R13), Z16, Z0
	TESTQ       R15, R15
	JEQ         narrowDone
	NEXT
	VFMADD231PS (R13), Z16, Z8
	TESTQ       R15, R15
	JNE         narrowKeys

narrowDone:
	VADDPS  Z8, Z0, Z0
	VMOVUPS Z0, (DI)
	ADDQ    $64, DI
	ADDQ    $64, R8
	SUBQ    $64, CX
	JMP     narrow

done:
	VZEROUPPER
	RET
