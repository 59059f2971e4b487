#include "textflag.h"
#include "neon_arm64.h"
#include "exp_arm64.h"

// n is a positive multiple of sixteen everywhere, and counts down; pointers advance.

// LARGER puts x in the place of a where it is larger, so never NaN. T is scratch.
#define LARGER(x, a, T) \
	FCMGT4S(a, x, T) \
	BIT16B(T, x, a)

// func maxOfNEON(x *float32, n int) float32
TEXT ·maxOfNEON(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R0
	MOVD n+8(FP), R2
	MOVD $0xff800000, R3 // -Inf
	VDUP R3, V0.S4
	VDUP R3, V1.S4
	VDUP R3, V2.S4
	VDUP R3, V3.S4

max:
	VLD1.P 64(R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	LARGER(4, 0, 16)
	LARGER(5, 1, 17)
	LARGER(6, 2, 18)
	LARGER(7, 3, 19)
	SUBS   $16, R2, R2
	BNE    max
	FMAXNM4S(1, 0, 0)
	FMAXNM4S(3, 2, 2)
	FMAXNM4S(2, 0, 0)
	FMAXNMV4S(0, 0)
	FMOVS  F0, ret+16(FP)
	RET

// func expSumNEON(dst, x *float32, m float32, n int) float64
// Writes e^(x-m) to dst, which may be x, and returns the sum.
TEXT ·expSumNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD n+24(FP), R2
	MOVD $m+16(FP), R3
	VLD1R (R3), [V16.S4]
	EXPCONST(R3)
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16

expSum:
	FMOVQ.P 16(R1), F0
	FSUB4S(16, 0, 0)
	EXP(0, 1, 2, 3, 4)
	FMOVQ.P F0, 16(R0)
	FCVTL2D(0, 1)
	FCVTL2D2(0, 2)
	FADD2D(1, 6, 6)
	FADD2D(2, 7, 7)
	SUBS    $4, R2, R2
	BNE     expSum
	FADD2D(7, 6, 6)
	FADDP2D(6, 0)
	FMOVD   F0, ret+32(FP)
	RET

// func findNEON(x *float32, v float32, n int) int
// Returns where the first sixteen start of which one is v, or n.
TEXT ·findNEON(SB), NOSPLIT, $0-32
	MOVD x+0(FP), R0
	MOVD $v+8(FP), R3
	VLD1R (R3), [V16.S4]
	MOVD n+16(FP), R2
	MOVD $0, R4

find:
	VLD1.P 64(R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	FCMEQ4S(16, 0, 0)
	FCMEQ4S(16, 1, 1)
	FCMEQ4S(16, 2, 2)
	FCMEQ4S(16, 3, 3)
	VORR   V1.B16, V0.B16, V0.B16
	VORR   V3.B16, V2.B16, V2.B16
	VORR   V2.B16, V0.B16, V0.B16
	UMAXV4S(0, 0)
	FMOVS  F0, R3
	CBNZW  R3, found
	ADD    $16, R4, R4
	CMP    R4, R2
	BNE    find

found:
	MOVD R4, ret+24(FP)
	RET
