#include "textflag.h"
#include "neon_arm64.h"

// BOUND adds to sum the larger of the products of four channels of q, in V16, with those at L and at H.
#define BOUND(L, H, sum) \
	FMOVQ.P 16(L), F17   \
	FMOVQ.P 16(H), F18   \
	FMUL4S(16, 17, 17)   \
	FMUL4S(16, 18, 18)   \
	FMAX4S(17, 18, 17)   \
	FADD4S(17, sum, sum)

// func upperBoundsNEON(dst, q, lo, hi *float32, d, rows int)
TEXT ·upperBoundsNEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD q+8(FP), R1
	MOVD lo+16(FP), R2
	MOVD hi+24(FP), R3
	MOVD d+32(FP), R4
	MOVD rows+40(FP), R5
	LSL  $2, R4, R6

rows4:
	SUBS $4, R5, R5
	BLT  rest
	MOVD R2, R7
	ADD  R6, R7, R8
	ADD  R6, R8, R9
	ADD  R6, R9, R10
	ADD  R6, R10, R2
	MOVD R3, R11
	ADD  R6, R11, R12
	ADD  R6, R12, R13
	ADD  R6, R13, R14
	ADD  R6, R14, R3
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	MOVD R1, R15
	MOVD R4, R16

bound4:
	FMOVQ.P 16(R15), F16
	BOUND(R7, R11, 0)
	BOUND(R8, R12, 1)
	BOUND(R9, R13, 2)
	BOUND(R10, R14, 3)
	SUBS    $4, R16, R16
	BNE     bound4
	SUM4(0, 1, 2, 3)
	FMOVQ.P F0, 16(R0)
	JMP     rows4

rest:
	ADDS $4, R5, R5
	BEQ  done

row1:
	VEOR V0.B16, V0.B16, V0.B16
	MOVD R1, R15
	MOVD R4, R16

bound1: // R2 and R3 come to the next row
	FMOVQ.P 16(R15), F16
	BOUND(R2, R3, 0)
	SUBS    $4, R16, R16
	BNE     bound1
	SUM1(0)
	FMOVS.P F0, 4(R0)
	SUBS    $1, R5, R5
	BNE     row1

done:
	RET
