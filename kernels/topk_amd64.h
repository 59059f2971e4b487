// Counting for TopK, in the terms of exp16_amd64.h or exp8_amd64.h and of COUNT(x, a, T), which adds 1 to the lanes of a
// in which the values at x are at least V8's.

// func countFrom(x *float32, f float32, n int) int
// Returns how many of x are at least f; n is a positive multiple of sixteen.
TEXT COUNTFROM(SB), NOSPLIT, $0-32
	MOVQ         x+0(FP), SI
	VBROADCASTSS f+8(FP), V8
	MOVQ         n+16(FP), CX
	SHLQ         $2, CX
	ZERO(V0)
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)
	COUNTSTART
	SUBQ         $(4*W), CX
	JLT          countRest

count4:
	COUNT((SI), V0, V4)
	COUNT(W(SI), V1, V5)
	COUNT((2*W)(SI), V2, V6)
	COUNT((3*W)(SI), V3, V7)
	ADDQ $(4*W), SI
	SUBQ $(4*W), CX
	JGE  count4

countRest:
	ADDQ $(4*W), CX
	JEQ  countDone

count1:
	COUNT((SI), V0, V4)
	ADDQ $W, SI
	SUBQ $W, CX
	JNE  count1

countDone:
	VPADDD V1, V0, V0
	VPADDD V3, V2, V2
	VPADDD V2, V0, V0
	ALL(VPADDD, V0, V1)
	VMOVD  X0, AX
	MOVQ   AX, ret+24(FP)
	VZEROUPPER
	RET
