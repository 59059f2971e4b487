#include "textflag.h"
#include "neon_arm64.h"
#include "exp_arm64.h"

// The bits of a mask that belong to a vector's lanes.
DATA laneBits<>+0(SB)/8, $0x0000000200000001
DATA laneBits<>+8(SB)/8, $0x0000000800000004
GLOBL laneBits<>(SB), RODATA|NOPTR, $16

// func weighNEON(scores *float32, mask uint64, m, l *float32) (fade float32)
TEXT ·weighNEON(SB), NOSPLIT, $0-36
	MOVD  scores+0(FP), R0
	MOVD  mask+8(FP), R1
	MOVD  m+16(FP), R2
	MOVD  l+24(FP), R3
	MOVD  $laneBits<>(SB), R4
	FMOVQ (R4), F16
	MOVD  $0xff800000, R5 // -Inf
	VDUP  R5, V17.S4
	VLD1R (R2), [V18.S4]
	VMOV  V17.B16, V0.B16
	MOVD  R0, R6
	MOVD  $16, R7

	// Scores that are not visible become -Inf. The maximum passes over NaN.
mask:
	FMOVQ   (R6), F1
	VDUP    R1, V2.S4
	VCMTST  V16.S4, V2.S4, V2.S4
	VBIF    V2.B16, V17.B16, V1.B16
	FMAXNM4S(1, 0, 0)
	FMOVQ.P F1, 16(R6)
	LSR     $4, R1, R1
	SUBS    $1, R7, R7
	BNE     mask
	FMAXNMV4S(0, 0)
	VDUP    V0.S[0], V0.S4
	FMAXNM4S(18, 0, 19) // the new maximum
	FMOVS   F19, (R2)

	// How the old weights fade.
	EXPCONST(R4)
	FSUB4S(19, 18, 18)
	EXP(18, 1, 2, 3, 4)
	FMOVS F18, fade+32(FP)

	// Weights e^(score-maximum), 0 for -Inf, and their sum.
	VEOR V7.B16, V7.B16, V7.B16
	VEOR V21.B16, V21.B16, V21.B16
	MOVD $8, R7

weights:
	FLDPQ   (R0), (F0, F5)
	FSUB4S(19, 0, 0)
	FSUB4S(19, 5, 5)
	EXP(0, 1, 2, 3, 4)
	EXP(5, 16, 17, 6, 20)
	FADD4S(0, 7, 7)
	FADD4S(5, 21, 21)
	FSTPQ.P (F0, F5), 32(R0)
	SUBS    $1, R7, R7
	BNE     weights
	FADD4S(21, 7, 7)
	SUM1(7)
	FMOVS   (R3), F0
	FMULS   F18, F0, F0
	FADDS   F7, F0, F0
	FMOVS   F0, (R3)
	RET

// func interleaveNEON(to, from *float32)
TEXT ·interleaveNEON(SB), NOSPLIT, $0-16
	MOVD to+0(FP), R0
	MOVD from+8(FP), R1
	ADD  $256, R1, R2
	ADD  $512, R1, R3
	ADD  $768, R1, R4
	MOVD $16, R5

interleave:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	FMOVQ.P 16(R3), F2
	FMOVQ.P 16(R4), F3
	VST4.P  [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS    $1, R5, R5
	BNE     interleave
	RET

// NEXT takes the lowest key off the mask R9: its number goes to R10 and the address of its values, from those of key 0
// at R2, to R12.
#define NEXT \
	RBIT R9, R10         \
	CLZ  R10, R10        \
	SUB  $1, R9, R11     \
	AND  R11, R9, R9     \
	MADD R3, R2, R10, R12

// FADE4 multiplies four vectors by the row's factor in V31.
#define FADE4(row, a, b, c, d) \
	FMULE4S(31, row, a, a) \
	FMULE4S(31, row, b, b) \
	FMULE4S(31, row, c, c) \
	FMULE4S(31, row, d, d)

// VALUES4 adds four vectors of values, V16 … V19, times the row's weight in V20.
#define VALUES4(row, a, b, c, d) \
	FMLAE4S(20, row, 16, a) \
	FMLAE4S(20, row, 17, b) \
	FMLAE4S(20, row, 18, c) \
	FMLAE4S(20, row, 19, d)

// func mix4NEON(o, weights, fade, v *float32, d int, mask uint64)
TEXT ·mix4NEON(SB), NOSPLIT, $0-48
	MOVD  o+0(FP), R5
	MOVD  weights+8(FP), R1
	MOVD  fade+16(FP), R4
	FMOVQ (R4), F31
	MOVD  v+24(FP), R2
	MOVD  d+32(FP), R4
	MOVD  mask+40(FP), R0
	LSL   $2, R4, R3
	ADD   R3, R5, R6
	ADD   R3, R6, R7
	ADD   R3, R7, R8

wide: // sixteen dimensions
	SUBS  $16, R4, R4
	BLT   rest
	VLD1  (R5), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1  (R6), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1  (R7), [V8.S4, V9.S4, V10.S4, V11.S4]
	VLD1  (R8), [V12.S4, V13.S4, V14.S4, V15.S4]
	FADE4(0, 0, 1, 2, 3)
	FADE4(1, 4, 5, 6, 7)
	FADE4(2, 8, 9, 10, 11)
	FADE4(3, 12, 13, 14, 15)
	MOVD  R0, R9

wideKey:
	NEXT
	ADD   R10<<4, R1, R10
	FMOVQ (R10), F20
	FLDPQ (R12), (F16, F17)
	FLDPQ 32(R12), (F18, F19)
	VALUES4(0, 0, 1, 2, 3)
	VALUES4(1, 4, 5, 6, 7)
	VALUES4(2, 8, 9, 10, 11)
	VALUES4(3, 12, 13, 14, 15)
	CBNZ  R9, wideKey
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R5)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R6)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R7)
	VST1.P [V12.S4, V13.S4, V14.S4, V15.S4], 64(R8)
	ADD   $64, R2, R2
	JMP   wide

rest:
	ADDS $16, R4, R4
	BEQ  done

narrow: // four dimensions
	FMOVQ (R5), F0
	FMOVQ (R6), F1
	FMOVQ (R7), F2
	FMOVQ (R8), F3
	FMULE4S(31, 0, 0, 0)
	FMULE4S(31, 1, 1, 1)
	FMULE4S(31, 2, 2, 2)
	FMULE4S(31, 3, 3, 3)
	MOVD  R0, R9

narrowKey:
	NEXT
	ADD   R10<<4, R1, R10
	FMOVQ (R10), F20
	FMOVQ (R12), F16
	FMLAE4S(20, 0, 16, 0)
	FMLAE4S(20, 1, 16, 1)
	FMLAE4S(20, 2, 16, 2)
	FMLAE4S(20, 3, 16, 3)
	CBNZ  R9, narrowKey
	FMOVQ.P F0, 16(R5)
	FMOVQ.P F1, 16(R6)
	FMOVQ.P F2, 16(R7)
	FMOVQ.P F3, 16(R8)
	ADD   $16, R2, R2
	SUBS  $4, R4, R4
	BNE   narrow

done:
	RET

// func mix1NEON(o, weights *float32, fade float32, v *float32, d int, mask uint64)
TEXT ·mix1NEON(SB), NOSPLIT, $0-48
	MOVD  o+0(FP), R5
	MOVD  weights+8(FP), R1
	FMOVS fade+16(FP), F31
	MOVD  v+24(FP), R2
	MOVD  d+32(FP), R4
	MOVD  mask+40(FP), R0
	LSL   $2, R4, R3

wide: // 32 dimensions
	SUBS  $32, R4, R4
	BLT   rest
	FLDPQ (R5), (F0, F1)
	FLDPQ 32(R5), (F2, F3)
	FLDPQ 64(R5), (F4, F5)
	FLDPQ 96(R5), (F6, F7)
	FADE4(0, 0, 1, 2, 3)
	FADE4(0, 4, 5, 6, 7)
	MOVD  R0, R9

wideKey:
	NEXT
	ADD   R10<<2, R1, R10
	FMOVS (R10), F20
	FLDPQ (R12), (F16, F17)
	FLDPQ 32(R12), (F18, F19)
	FLDPQ 64(R12), (F21, F22)
	FLDPQ 96(R12), (F23, F24)
	VALUES4(0, 0, 1, 2, 3)
	FMLAE4S(20, 0, 21, 4)
	FMLAE4S(20, 0, 22, 5)
	FMLAE4S(20, 0, 23, 6)
	FMLAE4S(20, 0, 24, 7)
	CBNZ  R9, wideKey
	FSTPQ.P (F0, F1), 32(R5)
	FSTPQ.P (F2, F3), 32(R5)
	FSTPQ.P (F4, F5), 32(R5)
	FSTPQ.P (F6, F7), 32(R5)
	ADD   $128, R2, R2
	JMP   wide

rest:
	ADDS $32, R4, R4
	BEQ  done

narrow: // four dimensions
	FMOVQ (R5), F0
	FMULE4S(31, 0, 0, 0)
	MOVD  R0, R9

narrowKey:
	NEXT
	ADD   R10<<2, R1, R10
	FMOVS (R10), F20
	FMOVQ (R12), F16
	FMLAE4S(20, 0, 16, 0)
	CBNZ  R9, narrowKey
	FMOVQ.P F0, 16(R5)
	ADD   $16, R2, R2
	SUBS  $4, R4, R4
	BNE   narrow

done:
	RET
