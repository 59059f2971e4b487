#include "textflag.h"
#include "neon_arm64.h"
#include "exp_arm64.h"

// n is a positive multiple of sixteen everywhere, and counts down; pointers advance.

// func addNEON(dst, src *float32, n int)
TEXT ·addNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2

add:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1   (R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD4S(0, 4, 4)
	FADD4S(1, 5, 5)
	FADD4S(2, 6, 6)
	FADD4S(3, 7, 7)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	SUBS   $16, R2, R2
	BNE    add
	RET

// func scaleByNEON(x *float32, f float32, n int)
TEXT ·scaleByNEON(SB), NOSPLIT, $0-24
	MOVD  x+0(FP), R0
	FMOVS f+8(FP), F8
	MOVD  n+16(FP), R2

scaleBy:
	VLD1   (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	FMULE4S(8, 0, 0, 0)
	FMULE4S(8, 0, 1, 1)
	FMULE4S(8, 0, 2, 2)
	FMULE4S(8, 0, 3, 3)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R2, R2
	BNE    scaleBy
	RET

// func addScaledNEON(dst, src *float32, f float32, n int)
// The product is rounded, as on all tiers.
TEXT ·addScaledNEON(SB), NOSPLIT, $0-32
	MOVD  dst+0(FP), R0
	MOVD  src+8(FP), R1
	FMOVS f+16(FP), F8
	MOVD  n+24(FP), R2

addScaled:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1   (R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	FMULE4S(8, 0, 0, 0)
	FMULE4S(8, 0, 1, 1)
	FMULE4S(8, 0, 2, 2)
	FMULE4S(8, 0, 3, 3)
	FADD4S(0, 4, 4)
	FADD4S(1, 5, 5)
	FADD4S(2, 6, 6)
	FADD4S(3, 7, 7)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	SUBS   $16, R2, R2
	BNE    addScaled
	RET

// func siluMulNEON(gate, up *float32, n int)
TEXT ·siluMulNEON(SB), NOSPLIT, $0-24
	MOVD gate+0(FP), R0
	MOVD up+8(FP), R1
	MOVD n+16(FP), R2
	EXPCONST(R3)
	VEOR V7.B16, V7.B16, V7.B16

silu:
	// x·s = (max(x, 0) + min(x, 0)·e)/(1+e) with e = e^-|x|; NaN stays.
	FMOVQ   (R0), F0
	FMOVQ.P 16(R1), F6
	FABS4S(0, 1)
	FNEG4S(1, 1)
	EXP(1, 2, 3, 4, 5)
	FMIN4S(7, 0, 2)
	FMAX4S(7, 0, 0)
	FMLA4S(1, 2, 0)
	FADD4S(ONE, 1, 1)
	FDIV4S(1, 0, 0)
	FMUL4S(6, 0, 0)
	FMOVQ.P F0, 16(R0)
	SUBS    $4, R2, R2
	BNE     silu
	RET

// SQUARES adds the squares of four values to two sums of two float64 each; T is scratch.
#define SQUARES(v, T, a, b) \
	FCVTL2D(v, T)   \
	FCVTL2D2(v, v)  \
	FMLA2D(T, T, a) \
	FMLA2D(v, v, b)

// func sumSquaresNEON(x *float32, n int) float64
TEXT ·sumSquaresNEON(SB), NOSPLIT, $0-24
	MOVD x+0(FP), R0
	MOVD n+8(FP), R2
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16

squares:
	VLD1.P 64(R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	SQUARES(0, 4, 16, 17)
	SQUARES(1, 5, 18, 19)
	SQUARES(2, 6, 20, 21)
	SQUARES(3, 7, 22, 23)
	SUBS   $16, R2, R2
	BNE    squares
	FADD2D(17, 16, 16)
	FADD2D(19, 18, 18)
	FADD2D(21, 20, 20)
	FADD2D(23, 22, 22)
	FADD2D(18, 16, 16)
	FADD2D(22, 20, 20)
	FADD2D(20, 16, 16)
	FADDP2D(16, 0)
	FMOVD  F0, ret+16(FP)
	RET

// func normalizeNEON(out, x, weight *float32, scale float32, n int)
TEXT ·normalizeNEON(SB), NOSPLIT, $0-40
	MOVD  out+0(FP), R0
	MOVD  x+8(FP), R1
	MOVD  weight+16(FP), R3
	FMOVS scale+24(FP), F8
	MOVD  n+32(FP), R2

normalize:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]
	FMULE4S(8, 0, 0, 0)
	FMULE4S(8, 0, 1, 1)
	FMULE4S(8, 0, 2, 2)
	FMULE4S(8, 0, 3, 3)
	FMUL4S(4, 0, 0)
	FMUL4S(5, 1, 1)
	FMUL4S(6, 2, 2)
	FMUL4S(7, 3, 3)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $16, R2, R2
	BNE    normalize
	RET

// func rotateNEON(x, cos, sin *float32, rows, heads, dim, half int)
// half is a positive multiple of 4; rows and heads are positive. All products are rounded.
TEXT ·rotateNEON(SB), NOSPLIT, $0-56
	MOVD x+0(FP), R0
	MOVD cos+8(FP), R1
	MOVD sin+16(FP), R2
	MOVD rows+24(FP), R3
	MOVD dim+40(FP), R5
	MOVD half+48(FP), R6
	LSL  $2, R5, R5

row:
	MOVD heads+32(FP), R4

head:
	MOVD R0, R7
	ADD  R6<<2, R0, R8
	MOVD R1, R9
	MOVD R2, R10
	MOVD R6, R11

pairs:
	FMOVQ   (R7), F0
	FMOVQ   (R8), F1
	FMOVQ.P 16(R9), F2
	FMOVQ.P 16(R10), F3
	FMUL4S(2, 0, 4)
	FMUL4S(3, 1, 5)
	FMUL4S(2, 1, 6)
	FMUL4S(3, 0, 7)
	FSUB4S(5, 4, 4)
	FADD4S(7, 6, 6)
	FMOVQ.P F4, 16(R7)
	FMOVQ.P F6, 16(R8)
	SUBS    $4, R11, R11
	BNE     pairs
	ADD     R5, R0, R0
	SUBS    $1, R4, R4
	BNE     head
	ADD     R6<<2, R1, R1
	ADD     R6<<2, R2, R2
	SUBS    $1, R3, R3
	BNE     row
	RET

// BOUNDS widens the bounds lo and hi to the values x: it takes one only where it lies beyond, so NaN never, nor one zero
// for the other. V20 and V21 are scratch.
#define BOUNDS(x, lo, hi) \
	FCMGT4S(x, lo, 20) \
	FCMGT4S(hi, x, 21) \
	BIT16B(20, x, lo)  \
	BIT16B(21, x, hi)

// func minMaxNEON(lo, hi, x *float32, rows, dim, n int)
// Updates lo[n] and hi[n] with the first n columns of x[rows, dim]; rows is positive.
TEXT ·minMaxNEON(SB), NOSPLIT, $0-48
	MOVD lo+0(FP), R0
	MOVD hi+8(FP), R1
	MOVD x+16(FP), R2
	MOVD dim+32(FP), R4
	MOVD n+40(FP), R5
	LSL  $2, R4, R4

columns:
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1 (R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	MOVD rows+24(FP), R3
	MOVD R2, R6

bounds:
	VLD1   (R6), [V16.S4, V17.S4, V18.S4, V19.S4]
	BOUNDS(16, 0, 4)
	BOUNDS(17, 1, 5)
	BOUNDS(18, 2, 6)
	BOUNDS(19, 3, 7)
	ADD    R4, R6, R6
	SUBS   $1, R3, R3
	BNE    bounds
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R1)
	ADD    $64, R2, R2
	SUBS   $16, R5, R5
	BNE    columns
	RET
