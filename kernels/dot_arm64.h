// The inner products of one vector with rows of one storage type, in the terms of LOAD8, LOAD4, LOAD2 and LOAD1, which
// load so many values of the row at a register into V18 (and V19), as float32, and move the register on; what they do
// not fill of V18 is zero. A sum has four lanes, value k in lane k mod 4, added up by SUM4's tree: the same bits for
// any number of rows, and those of dot4NEON.

#define STEP8(R, a) \
	LOAD8(R)                  \
	VFMLA V18.S4, V16.S4, a.S4 \
	VFMLA V19.S4, V17.S4, a.S4

#define STEP4(R, a) \
	LOAD4(R)                  \
	VFMLA V18.S4, V16.S4, a.S4

#define STEP2(R, a) \
	LOAD2(R)                  \
	VFMLA V18.S4, V16.S4, a.S4

#define STEP1(R, p, a) \
	LOAD1(R, p)               \
	VFMLA V18.S4, V16.S4, a.S4

// func dotNEON and dotBF16NEON
TEXT DOT(SB), NOSPLIT, $0-56
	MOVD out+0(FP), R0
	MOVD x+8(FP), R1
	MOVD w+16(FP), R2
	MOVD stride+24(FP), R3
	MOVD n+32(FP), R4
	MOVD rows+40(FP), R5
	MOVD add+48(FP), R6
	LSL  $LOGSIZE, R3, R3

rows8:
	SUBS $8, R5, R5
	BLT  rest
	MOVD R2, R7
	ADD  R3, R7, R8
	ADD  R3, R8, R9
	ADD  R3, R9, R10
	ADD  R3, R10, R11
	ADD  R3, R11, R12
	ADD  R3, R12, R13
	ADD  R3, R13, R14
	ADD  R3, R14, R2
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	MOVD R1, R15
	SUBS $8, R4, R16
	BLT  four8

eight8:
	FLDPQ.P 32(R15), (F16, F17)
	STEP8(R7, V0)
	STEP8(R8, V1)
	STEP8(R9, V2)
	STEP8(R10, V3)
	STEP8(R11, V4)
	STEP8(R12, V5)
	STEP8(R13, V6)
	STEP8(R14, V7)
	SUBS    $8, R16, R16
	BGE     eight8

four8: // R16 is n mod 8, less 8
	TBZ     $2, R16, two8
	FMOVQ.P 16(R15), F16
	STEP4(R7, V0)
	STEP4(R8, V1)
	STEP4(R9, V2)
	STEP4(R10, V3)
	STEP4(R11, V4)
	STEP4(R12, V5)
	STEP4(R13, V6)
	STEP4(R14, V7)

two8:
	TBZ     $1, R16, one8
	FMOVD.P 8(R15), F16
	STEP2(R7, V0)
	STEP2(R8, V1)
	STEP2(R9, V2)
	STEP2(R10, V3)
	STEP2(R11, V4)
	STEP2(R12, V5)
	STEP2(R13, V6)
	STEP2(R14, V7)

one8:
	TBZ   $0, R16, done8
	FMOVS (R15), F16
	STEP1(R7, 7, V0)
	STEP1(R8, 8, V1)
	STEP1(R9, 9, V2)
	STEP1(R10, 10, V3)
	STEP1(R11, 11, V4)
	STEP1(R12, 12, V5)
	STEP1(R13, 13, V6)
	STEP1(R14, 14, V7)

done8:
	SUM4(0, 1, 2, 3)
	SUM4(4, 5, 6, 7)
	CBZ     R6, store8
	FLDPQ   (R0), (F16, F17)
	FADD4S(16, 0, 0)
	FADD4S(17, 4, 4)

store8:
	FSTPQ.P (F0, F4), 32(R0)
	JMP     rows8

rest:
	ADDS $8, R5, R5
	BEQ  done

row1:
	MOVD R2, R7
	ADD  R3, R2, R2
	VEOR V0.B16, V0.B16, V0.B16
	MOVD R1, R15
	SUBS $8, R4, R16
	BLT  four1

eight1:
	FLDPQ.P 32(R15), (F16, F17)
	STEP8(R7, V0)
	SUBS    $8, R16, R16
	BGE     eight1

four1:
	TBZ     $2, R16, two1
	FMOVQ.P 16(R15), F16
	STEP4(R7, V0)

two1:
	TBZ     $1, R16, one1
	FMOVD.P 8(R15), F16
	STEP2(R7, V0)

one1:
	TBZ   $0, R16, done1
	FMOVS (R15), F16
	STEP1(R7, 7, V0)

done1:
	SUM1(0)
	CBZ     R6, store1
	FMOVS   (R0), F16
	FADD4S(16, 0, 0)

store1:
	FMOVS.P F0, 4(R0)
	SUBS    $1, R5, R5
	BNE     row1

done:
	RET
