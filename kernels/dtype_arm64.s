#include "textflag.h"
#include "neon_arm64.h"

// n is a positive multiple of sixteen, and counts down; pointers advance.

// func widenBF16NEON(dst *float32, src *byte, n int)
TEXT ·widenBF16NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2

bf16:
	FLDPQ.P 32(R1), (F4, F5)
	SHLL4S(4, 0)
	SHLL4S2(4, 1)
	SHLL4S(5, 2)
	SHLL4S2(5, 3)
	FSTPQ.P (F0, F1), 32(R0)
	FSTPQ.P (F2, F3), 32(R0)
	SUBS    $16, R2, R2
	BNE     bf16
	RET

// PAYLOAD gives NaNs among w, widened from h, back the one bit that widening sets: that of NaNs that signal. h are the
// same numbers with all bits in their places of float32, but for the exponent. V6 holds that bit; T is scratch.
#define PAYLOAD(h, w, T) \
	FCMEQ4S(w, w, T) \
	BIC16B(T, 6, T)  \
	BIT16B(T, h, w)

// func widenF16NEON(dst *float32, src *byte, n int)
TEXT ·widenF16NEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	MOVD $0x00400000, R3
	VDUP R3, V6.S4

f16:
	FLDPQ.P  32(R1), (F4, F5)
	FCVTL4S(4, 0)
	FCVTL4S2(4, 1)
	FCVTL4S(5, 2)
	FCVTL4S2(5, 3)
	VUSHLL   $13, V4.H4, V16.S4
	VUSHLL2  $13, V4.H8, V17.S4
	VUSHLL   $13, V5.H4, V18.S4
	VUSHLL2  $13, V5.H8, V19.S4
	PAYLOAD(16, 0, 20)
	PAYLOAD(17, 1, 21)
	PAYLOAD(18, 2, 22)
	PAYLOAD(19, 3, 23)
	FSTPQ.P  (F0, F1), 32(R0)
	FSTPQ.P  (F2, F3), 32(R0)
	SUBS     $16, R2, R2
	BNE      f16
	RET
