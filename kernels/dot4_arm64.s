#include "textflag.h"
#include "neon_arm64.h"

// TILE adds to the sums V0 … V15, four for each row of x, the products of the vectors x0 … x3 of the rows of x with
// w0 … w3 of those of w.
#define ROW(x, w0, w1, w2, w3, a, b, c, d) \
	VFMLA w0.S4, x.S4, a.S4 \
	VFMLA w1.S4, x.S4, b.S4 \
	VFMLA w2.S4, x.S4, c.S4 \
	VFMLA w3.S4, x.S4, d.S4

#define TILE(x0, x1, x2, x3, w0, w1, w2, w3) \
	ROW(x0, w0, w1, w2, w3, V0, V1, V2, V3)     \
	ROW(x1, w0, w1, w2, w3, V4, V5, V6, V7)     \
	ROW(x2, w0, w1, w2, w3, V8, V9, V10, V11)   \
	ROW(x3, w0, w1, w2, w3, V12, V13, V14, V15)

// STEP is TILE with the next values of all rows, as many as size bytes have; the rest of the vectors is zero.
#define STEP(LOAD, size) \
	LOAD size(R7), F16  \
	LOAD size(R8), F18  \
	LOAD size(R9), F20  \
	LOAD size(R10), F22 \
	LOAD size(R11), F24 \
	LOAD size(R12), F26 \
	LOAD size(R13), F28 \
	LOAD size(R14), F30 \
	TILE(V16, V18, V20, V22, V24, V26, V28, V30)

// func dot4NEON(out *float32, ostride int, x *float32, xstride int, w *float32, stride, n, rows, add int)
TEXT ·dot4NEON(SB), NOSPLIT, $0-72
	MOVD out+0(FP), R0
	MOVD ostride+8(FP), R1
	MOVD xstride+24(FP), R3
	MOVD w+32(FP), R4
	MOVD stride+40(FP), R5
	MOVD n+48(FP), R6
	MOVD rows+56(FP), R15
	MOVD add+64(FP), R17
	LSL  $2, R1, R1
	LSL  $2, R3, R3
	LSL  $2, R5, R5

group:
	MOVD x+16(FP), R7
	ADD  R3, R7, R8
	ADD  R3, R8, R9
	ADD  R3, R9, R10
	MOVD R4, R11
	ADD  R5, R11, R12
	ADD  R5, R12, R13
	ADD  R5, R13, R14
	ADD  R5, R14, R4
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16
	SUBS $8, R6, R16
	BLT  four

eight:
	FLDPQ.P 32(R7), (F16, F17)
	FLDPQ.P 32(R8), (F18, F19)
	FLDPQ.P 32(R9), (F20, F21)
	FLDPQ.P 32(R10), (F22, F23)
	FLDPQ.P 32(R11), (F24, F25)
	FLDPQ.P 32(R12), (F26, F27)
	FLDPQ.P 32(R13), (F28, F29)
	FLDPQ.P 32(R14), (F30, F31)
	TILE(V16, V18, V20, V22, V24, V26, V28, V30)
	TILE(V17, V19, V21, V23, V25, V27, V29, V31)
	SUBS    $8, R16, R16
	BGE     eight

four: // R16 is n mod 8, less 8
	TBZ $2, R16, two
	STEP(FMOVQ.P, 16)

two:
	TBZ $1, R16, one
	STEP(FMOVD.P, 8)

one:
	TBZ $0, R16, sums
	STEP(FMOVS.P, 4)

sums:
	SUM4(0, 1, 2, 3)
	SUM4(4, 5, 6, 7)
	SUM4(8, 9, 10, 11)
	SUM4(12, 13, 14, 15)
	ADD   R1, R0, R7
	ADD   R1, R7, R8
	ADD   R1, R8, R9
	CBZ   R17, store
	FMOVQ (R0), F16
	FMOVQ (R7), F17
	FMOVQ (R8), F18
	FMOVQ (R9), F19
	FADD4S(16, 0, 0)
	FADD4S(17, 4, 4)
	FADD4S(18, 8, 8)
	FADD4S(19, 12, 12)

store:
	FMOVQ.P F0, 16(R0)
	FMOVQ   F4, (R7)
	FMOVQ   F8, (R8)
	FMOVQ   F12, (R9)
	SUBS    $4, R15, R15
	BNE     group
	RET
