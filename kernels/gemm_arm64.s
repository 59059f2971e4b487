#include "go_asm.h"
#include "textflag.h"

// Two rows by 48 columns: their sums are V0 … V11 and V12 … V23, a row of the panel passes through V24 … V27, and the
// values of x are in V28 and V29.

#define LOAD(at, a, b, c, d) VLD1.P 64(at), [a.S4, b.S4, c.S4, d.S4]
#define STORE(at, a, b, c, d) VST1.P [a.S4, b.S4, c.S4, d.S4], 64(at)

#define ROW(x, a, b, c, d) \
	VFMLA V24.S4, x.S4, a.S4 \
	VFMLA V25.S4, x.S4, b.S4 \
	VFMLA V26.S4, x.S4, c.S4 \
	VFMLA V27.S4, x.S4, d.S4

// SUMS1 and SUMS2 move the sums of one row and two.
#define SUMS1(MOVE, at) \
	MOVE(at, V0, V1, V2, V3)   \
	MOVE(at, V4, V5, V6, V7)   \
	MOVE(at, V8, V9, V10, V11)

#define SUMS2(MOVE, at) \
	SUMS1(MOVE, at)              \
	MOVE(at, V12, V13, V14, V15) \
	MOVE(at, V16, V17, V18, V19) \
	MOVE(at, V20, V21, V22, V23)

#define BEGIN \
	MOVD call+0(FP), R0           \
	MOVD gemmCall_x(R0), R1       \
	MOVD gemmCall_stride(R0), R2  \
	MOVD gemmCall_w(R0), R3       \
	MOVD gemmCall_k(R0), R4       \
	MOVD gemmCall_sums(R0), R5    \
	MOVD R5, R6                   \
	ADD  R1, R2, R2

// func gemm2NEON(call *gemmCall)
TEXT ·gemm2NEON(SB), NOSPLIT, $0-8
	BEGIN
	SUMS2(LOAD, R5)

two:
	VLD1R.P 4(R1), [V28.S4]
	VLD1R.P 4(R2), [V29.S4]
	LOAD(R3, V24, V25, V26, V27)
	ROW(V28, V0, V1, V2, V3)
	ROW(V29, V12, V13, V14, V15)
	LOAD(R3, V24, V25, V26, V27)
	ROW(V28, V4, V5, V6, V7)
	ROW(V29, V16, V17, V18, V19)
	LOAD(R3, V24, V25, V26, V27)
	ROW(V28, V8, V9, V10, V11)
	ROW(V29, V20, V21, V22, V23)
	SUBS    $1, R4, R4
	BNE     two
	SUMS2(STORE, R6)
	RET

// func gemm1NEON(call *gemmCall)
TEXT ·gemm1NEON(SB), NOSPLIT, $0-8
	BEGIN
	SUMS1(LOAD, R5)

one:
	VLD1R.P 4(R1), [V28.S4]
	LOAD(R3, V24, V25, V26, V27)
	ROW(V28, V0, V1, V2, V3)
	LOAD(R3, V24, V25, V26, V27)
	ROW(V28, V4, V5, V6, V7)
	LOAD(R3, V24, V25, V26, V27)
	ROW(V28, V8, V9, V10, V11)
	SUBS    $1, R4, R4
	BNE     one
	SUMS1(STORE, R6)
	RET
